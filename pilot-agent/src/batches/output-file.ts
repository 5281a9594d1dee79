import { type FileHandle, mkdir, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk/shared';
import { z } from 'zod';
import { KeyTable } from './key-table.js';
import { readLines } from './line-reader.js';
import { notOurs, parseWritten } from './output-rows.js';

/** What an output file held when it was opened. */
export interface Found {
  readonly keys: KeyTable;
  /** Rows of earlier batches. */
  readonly kept: number;
  /** Rows that this batch wrote before its agent was started again. */
  readonly done: number;
  readonly failed: number;
  readonly tokens: number;
  readonly failures: readonly { key: string; code: string; message: string }[];
  /** Where the next row goes, in bytes. */
  readonly length: number;
}

/** An output file that is ready to be appended to. */
export interface Opened {
  readonly file: FileHandle;
  readonly found: Found;
}

/** Where in its output a batch began, in bytes: what stands before it is from earlier ones. */
const startSchema = z.object({ start: z.int().min(0) });

/** The text by which a key is found again: `7` and `"7"` are two. */
export function keyText(key: string | number): string {
  return JSON.stringify(key);
}

/**
 * Opens the output of a batch and finds out what it holds. A torn last line is cut off. When a batch begins, rows with an
 * error are taken out, since they are tried again: the file is replaced as a whole, so that at any moment each key stands
 * there once. Rows that the batch itself wrote before a restart of its agent stand, failed ones too.
 *
 * @param startFile - keeps where in the output the batch began
 * @throws PilothouseError DIRECTORY_NOT_FOUND, PERMISSION_DENIED, INVALID_DESCRIPTION for a file that holds something else
 */
export async function openOutput(out: string, startFile: string, openai: boolean): Promise<Opened> {
  const path = await resolveOutput(out);
  const start = await readStart(startFile);
  const file = await openFile(path);
  try {
    const opened =
      start === undefined ? await begin(file, path, openai) : { file, found: await read(file, path, openai, start) };
    await opened.file.truncate(opened.found.length);
    if (start === undefined) await replace(startFile, [JSON.stringify({ start: opened.found.length })]);
    return opened;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function begin(file: FileHandle, path: string, openai: boolean): Promise<Opened> {
  const found = await read(file, path, openai, undefined);
  if (found.failed === 0) return { file, found };
  await replace(path, linesWithoutErrors(file, path, openai), (await file.stat()).mode & 0o777);
  await file.close();
  const replaced = await openFile(path);
  return { file: replaced, found: await read(replaced, path, openai, undefined) };
}

async function read(file: FileHandle, path: string, openai: boolean, start: number | undefined): Promise<Found> {
  const keys = new KeyTable();
  const failures: { key: string; code: string; message: string }[] = [];
  let kept = 0;
  let done = 0;
  let failed = 0;
  let tokens = 0;
  let length = 0;
  for await (const lines of readLines(file, path, () => undefined)) {
    for (const { text, end, number } of lines) {
      const before = length;
      length = end;
      if (text === '') continue;
      const row = parseWritten(text, openai);
      if (row === undefined) throw notOurs(path, number + 1);
      tokens += row.tokens;
      const error = row.error;
      if (error !== null) {
        failed += 1;
        failures.push({ key: String(row.key), code: error.code, message: error.message });
        if (failures.length > 5) failures.shift();
        if (start === undefined) continue;
      }
      if (!keys.addDone(keyText(row.key), row.input) || error !== null) continue;
      if (start === undefined || before < start) kept += 1;
      else done += 1;
    }
  }
  return { keys, kept, done, failed, tokens, failures, length };
}

async function* linesWithoutErrors(file: FileHandle, path: string, openai: boolean): AsyncGenerator<string> {
  for await (const lines of readLines(file, path, () => undefined)) {
    for (const { text } of lines) if (text !== '' && parseWritten(text, openai)?.error === null) yield text;
  }
}

/** Puts a whole file in place of another, so that whoever reads sees the one or the other, after a power cut too. */
async function replace(path: string, lines: Iterable<string> | AsyncIterable<string>, mode = 0o600): Promise<void> {
  const folder = dirname(path);
  const made = join(folder, `.${basename(path)}.${process.pid}.new`);
  try {
    const file = await open(made, 'w', mode);
    try {
      let group = '';
      for await (const line of lines) {
        group += `${line}\n`;
        if (group.length < GROUP) continue;
        await file.appendFile(group);
        group = '';
      }
      await file.appendFile(group);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(made, path);
  } catch (error) {
    await unlink(made).catch(() => undefined);
    throw error;
  }
  const holder = await open(folder, 'r');
  await holder.sync().finally(() => holder.close());
}

const GROUP = 1024 * 1024;

async function readStart(path: string): Promise<number | undefined> {
  try {
    return startSchema.parse(JSON.parse(await readFile(path, 'utf8'))).start;
  } catch (error) {
    if (isMissing(error)) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      return undefined;
    }
    throw error;
  }
}

/** The file itself where the path is a link to it, so that replacing it leaves the link alone. */
async function resolveOutput(out: string): Promise<string> {
  const folder = dirname(out);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new PilothouseError('DIRECTORY_NOT_FOUND', `the folder ${folder} of the output is not there`, {
      hint: `Make it first: mkdir -p ${folder}`,
      field: 'out',
    });
  }
  return realpath(out).catch(() => out);
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // Not for appending: rows go to places that are counted here, so that what a full disk has torn is written over.
    return await open(path, 'r+');
  } catch (error) {
    if (!isMissing(error)) throw unusable(path, error);
  }
  try {
    return await open(path, 'wx+', 0o644);
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): PilothouseError {
  return new PilothouseError('PERMISSION_DENIED', `${path} cannot be written`, {
    hint: 'Name another file with "out".',
    field: 'out',
    evidence: cause instanceof Error ? cause.message : String(cause),
    cause,
  });
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
