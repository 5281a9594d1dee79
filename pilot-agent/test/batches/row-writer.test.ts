import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RowWriter } from '../../src/batches/row-writer.js';

let folder: string;
let file: FileHandle;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pw'));
  file = await open(join(folder, 'out'), 'w+');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The same file on a disk that is full as long as that is said: it takes the first half of each write. */
function filling(full: () => boolean): FileHandle {
  const write = async (data: Buffer, offset: number, length: number, position: number) => {
    if (!full()) return file.write(data, offset, length, position);
    await file.write(data, offset, Math.floor(length / 2), position);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  return new Proxy(file, {
    get: (target, name) => {
      if (name === 'write') return write;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('rows count once they are on the disk; what a full disk has torn is written again when there is room', async () => {
  let full = true;
  const troubles: (string | undefined)[] = [];
  const stored: number[] = [];
  const troubled = Promise.withResolvers<void>();
  const writer = new RowWriter(
    filling(() => full),
    0,
    {
      stored: () => undefined,
      troubled: (why) => {
        troubles.push(why);
        troubled.resolve();
      },
    },
  );
  for (let row = 0; row < 10; row += 1) writer.add(`row ${row}`, () => stored.push(row));
  await troubled.promise;
  expect(stored).toEqual([]);
  full = false;
  await writer.flush();
  expect(stored).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(troubles[0]).toContain('ENOSPC');
  expect(troubles.at(-1)).toBeUndefined();
  await writer.close();
  expect(readFileSync(join(folder, 'out'), 'utf8')).toBe(stored.map((row) => `row ${row}\n`).join(''));
});

test('closed on a full disk, it gives up what it could not write', async () => {
  const stored: number[] = [];
  const troubled = Promise.withResolvers<void>();
  const writer = new RowWriter(
    filling(() => true),
    0,
    { stored: () => undefined, troubled: () => troubled.resolve() },
  );
  writer.add('row', () => stored.push(1));
  await troubled.promise;
  await writer.close();
  expect(stored).toEqual([]);
});

test('so much waits for the disk, and then no more is asked', async () => {
  let full = true;
  const writer = new RowWriter(
    filling(() => full),
    0,
    { stored: () => undefined, troubled: () => undefined },
  );
  expect(writer.full).toBe(false);
  const row = 'x'.repeat(1024 * 1024);
  for (let count = 0; count < 17; count += 1) writer.add(row, () => undefined);
  expect(writer.full).toBe(true);
  full = false;
  await writer.flush();
  expect(writer.full).toBe(false);
  await writer.close();
});
