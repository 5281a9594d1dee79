import { execFileSync, spawnSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk/internal';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AppendFile } from '../src/store/append-file.js';
import { Cache, CacheLocked } from '../src/store/cache.js';
import { readRecords } from '../src/store/read-lines.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp('/tmp/phs-');
});
afterAll(() => rm(folder, { recursive: true }));

const schema = z.object({ n: z.int(), text: z.string() });
type Row = z.infer<typeof schema>;

let files = 0;
function newFile(): string {
  files += 1;
  return join(folder, `${files}.jsonl`);
}

async function readAll(path: string, from = 0): Promise<{ rows: Row[]; end: number }> {
  const rows: Row[] = [];
  let end = from;
  for await (const lines of readRecords(path, schema, from)) {
    for (const line of lines) {
      rows.push(line.value);
      end = line.end;
    }
  }
  return { rows, end };
}

const rowsOf = fc.array(fc.record({ n: fc.integer(), text: fc.string({ unit: 'binary' }) }), { maxLength: 30 });

describe('reading records', () => {
  it('gives what was appended, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, async (rows) => {
        const path = newFile();
        const file = new AppendFile(path);
        await file.append(rows.map((row) => JSON.stringify(row)));
        await file.close();
        expect((await readAll(path)).rows).toEqual(JSON.parse(JSON.stringify(rows)));
      }),
      { numRuns: 50 },
    );
  });

  it('of a file cut anywhere gives a prefix, and goes on from there once the rest is written', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf, fc.nat(), async (rows, cut) => {
        const path = newFile();
        const whole = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
        const at = whole.length === 0 ? 0 : cut % whole.length;
        await writeFile(path, whole.subarray(0, at));
        const first = await readAll(path);
        expect(first.end).toBeLessThanOrEqual(at);
        await appendFile(path, whole.subarray(at));
        const second = await readAll(path, first.end);
        expect([...first.rows, ...second.rows]).toEqual(JSON.parse(JSON.stringify(rows)));
      }),
      { numRuns: 50 },
    );
  });

  it('stops at a line that is no record, naming file and line', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsOf.filter((rows) => rows.length > 0),
        fc.nat(),
        fc.constantFrom('', '{', '{"n":1}', 'null', '[]'),
        async (rows, where, bad) => {
          const path = newFile();
          const lines = rows.map((row) => JSON.stringify(row));
          const index = where % lines.length;
          lines.splice(index, 0, bad);
          await writeFile(path, `${lines.join('\n')}\n`);
          const error: unknown = await readAll(path).catch((reason: unknown) => reason);
          expect(error).toBeInstanceOf(PilothouseError);
          expect(error).toMatchObject({ code: 'LOG_DAMAGED', field: `${path}:${index + 1}` });
        },
      ),
      { numRuns: 50 },
    );
  });

  it('of a file that is not there gives nothing', async () => {
    expect((await readAll(newFile())).rows).toEqual([]);
  });
});

describe('appending', () => {
  it('keeps the order of calls and shares writes among them', async () => {
    const path = newFile();
    const file = new AppendFile(path);
    await Promise.all(Array.from({ length: 500 }, (_, n) => file.append([JSON.stringify({ n, text: '' })])));
    expect((await readAll(path)).rows.map(({ n }) => n)).toEqual(Array.from({ length: 500 }, (_, n) => n));
    expect(file.size).toBe((await readFile(path)).length);
    await file.close();
  });

  it('after a torn line starts a line of its own', async () => {
    const path = newFile();
    await writeFile(path, '{"n":1,"text":"to');
    const file = new AppendFile(path);
    await file.append(['{"n":2,"text":""}']);
    await file.close();
    expect((await readFile(path, 'utf8')).split('\n').at(-2)).toBe('{"n":2,"text":""}');
  });

  it('to what cannot be written fails, then and later', async () => {
    const file = new AppendFile(join(folder, 'no', 'such', 'folder'));
    for (let round = 0; round < 2; round += 1) {
      await expect(file.append(['{}'])).rejects.toMatchObject({ code: 'STATE_UNREACHABLE' });
    }
  });
});

/** Containers often refuse it even to root. */
const mayMount = spawnSync('unshare', ['--mount', 'true']).status === 0;

describe.skipIf(!mayMount)('a full disk', () => {
  let full: string;
  const fill = () => writeFile(join(full, 'filler'), Buffer.alloc(1 << 20)).catch(() => undefined);
  beforeEach(async () => {
    full = join(folder, 'full');
    await mkdir(full, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', full]);
  });
  afterEach(() => {
    execFileSync('umount', ['-l', full]);
  });

  it('refuses, leaves nothing of what was refused, and takes more once there is room', async () => {
    const path = join(full, 'log.jsonl');
    const file = new AppendFile(path);
    await file.append(['{"n":1,"text":"kept"}']);
    await fill();
    const lines = Array.from({ length: 3 }, (_, n) => JSON.stringify({ n, text: 'x'.repeat(3000) }));
    await expect(file.append(lines)).rejects.toMatchObject({ code: 'STATE_UNREACHABLE', retryable: true });
    expect(await readFile(path, 'utf8')).toBe('{"n":1,"text":"kept"}\n');
    await rm(join(full, 'filler'));
    await file.append(['{"n":2,"text":"later"}']);
    expect((await readAll(path)).rows.map(({ n }) => n)).toEqual([1, 2]);
    await file.close();
  });

  it('is waited for where what is written must not be lost, until it is closed', async () => {
    const path = join(full, 'spool.jsonl');
    const file = new AppendFile(path, { patient: true });
    await file.append(['{"n":1,"text":""}']);
    await fill();
    const lines = [JSON.stringify({ n: 2, text: 'x'.repeat(5000) })];
    const waiting = [file.append(lines), file.append(['{"n":3,"text":""}'])];
    await rm(join(full, 'filler'));
    await Promise.all(waiting);
    expect((await readAll(path)).rows.map(({ n }) => n)).toEqual([1, 2, 3]);
    await fill();
    const refused = expect(file.append(lines)).rejects.toMatchObject({ code: 'STATE_UNREACHABLE' });
    await file.close();
    await refused;
  });
});

describe('the cache', () => {
  it('is held by one opener', () => {
    const path = join(folder, 'lock.sqlite');
    const cache = Cache.open(path);
    expect(() => Cache.open(path)).toThrow(CacheLocked);
    cache.close();
    Cache.open(path).close();
  });
});
