import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Credentials } from '../../src/credentials/credentials.js';
import { scratchFolder } from './harness.js';

let scratch: ReturnType<typeof scratchFolder>;
let credentials: Credentials;

beforeEach(() => {
  scratch = scratchFolder();
  credentials = new Credentials(scratch.path);
});
afterEach(() => scratch.dispose());

test('are kept in files of the user alone, replaced, listed without secrets, removed', async () => {
  expect(await credentials.list()).toEqual([]);
  await credentials.put('r3', 'first');
  const report = await credentials.put('r3', ' second\n');
  expect(report).toEqual({ name: 'r3', createdAt: expect.any(String), lastUsedAt: null });
  const file = join(scratch.path, 'credentials', 'r3');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(scratch.path, 'credentials')).mode & 0o777).toBe(0o700);
  expect(readFileSync(file, 'utf8')).toBe('second');
  expect(await credentials.use('r3')).toBe('second');
  const [used] = await credentials.list();
  expect(used?.lastUsedAt).toEqual(expect.any(String));
  expect(JSON.stringify(used)).not.toContain('second');
  await credentials.remove('r3');
  expect(await credentials.list()).toEqual([]);
  await expect(credentials.remove('r3')).rejects.toMatchObject({ code: 'CREDENTIAL_NOT_FOUND' });
  await expect(credentials.use('r3')).rejects.toMatchObject({
    code: 'CREDENTIAL_NOT_FOUND',
    hint: 'Store it with: pilothouse credentials add r3',
  });
});

test('a name cannot lead out of their folder', async () => {
  writeFileSync(join(scratch.path, 'outside'), 'secret of somebody');
  for (const name of ['../outside', 'a/b', '', '.hidden']) {
    await expect(credentials.use(name)).rejects.toMatchObject({ code: 'INVALID_DESCRIPTION', field: 'name' });
    await expect(credentials.put(name, 'x')).rejects.toMatchObject({ code: 'INVALID_DESCRIPTION' });
  }
});
