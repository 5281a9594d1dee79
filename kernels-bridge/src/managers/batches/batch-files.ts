import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join } from 'node:path';
import { type BatchSpec, type Origin, PilothouseError, type ResolvedBatchDescription } from '@pilothouse/sdk/internal';
import type { Config } from '../../config.js';
import { isMissing, whereMissing } from '../../missing.js';
import { validName } from '../names.js';
import type { Uploads } from './uploads.js';

/** The files of a batch, absolute. */
export interface BatchFiles {
  readonly input: string;
  readonly out: string;
  readonly format: BatchSpec['format'];
  /** The name it gets unless it is taken. */
  readonly name: string;
}

/**
 * Finds the files that a description means, seen from the caller's working directory.
 *
 * @throws PilothouseError DATA_NOT_FOUND, DIRECTORY_NOT_FOUND, INVALID_DESCRIPTION
 */
export async function batchFiles(
  config: Config,
  uploads: Uploads,
  origin: Origin,
  service: string,
  { name, input, out, op }: ResolvedBatchDescription,
): Promise<BatchFiles> {
  const base = origin.cwd ?? config.userHome;
  const absolute = (path: string, field: string): string => {
    if (path.includes('\0')) {
      throw new PilothouseError('INVALID_DESCRIPTION', `${field} holds a NUL character`, { field });
    }
    const expanded = path === '~' || path.startsWith('~/') ? join(config.userHome, path.slice(1)) : path;
    return isAbsolute(expanded) ? join(expanded) : join(base, expanded);
  };
  const source = 'file' in input ? absolute(input.file, 'input.file') : uploads.path(input.upload);
  await checkInput(source, input, uploads);
  const usual = validName(
    name ??
      (out === undefined
        ? 'file' in input
          ? `${basename(source, extname(source))}-${service}`
          : `${service}-${input.upload.slice('batch-'.length).slice(0, 6)}`
        : basename(out, extname(out))),
  );
  const path = await settle(absolute(out ?? `${usual}.jsonl`, 'out'));
  if (path === (await realpath(source))) {
    throw new PilothouseError('INVALID_DESCRIPTION', `${path} is the input and cannot be the output`, {
      hint: 'Name another file with "out".',
      field: 'out',
    });
  }
  const plain = 'file' in input && extname(source) === '.txt' && op !== 'openai';
  return { input: source, out: path, format: plain ? 'lines' : 'jsonl', name: usual };
}

async function checkInput(path: string, input: ResolvedBatchDescription['input'], uploads: Uploads): Promise<void> {
  if ('upload' in input) {
    if ((await uploads.count(input.upload)) > 0) return;
    throw new PilothouseError('DATA_NOT_FOUND', `nothing was sent as ${input.upload}`, {
      hint: 'Send the rows with batches.upload first.',
      field: 'input.upload',
    });
  }
  const found = await lookAt(path, 'input.file');
  if (found?.isFile()) return;
  throw new PilothouseError('DATA_NOT_FOUND', `there is no file ${path}`, {
    hint: 'Paths are seen from the folder of the notebook; write it in full, or correct it.',
    field: 'input.file',
  });
}

/** What stands at a path; undefined: nothing. What may not be looked at is not said to be missing. */
async function lookAt(path: string, field: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (cause) {
    const behindFile = cause instanceof Error && 'code' in cause && cause.code === 'ENOTDIR';
    if (isMissing(cause) || behindFile) return undefined;
    throw new PilothouseError('PERMISSION_DENIED', `${path} cannot be looked at`, {
      hint: `Name a file that you may read and write, or see what stands in the way: ls -ld ${dirname(path)}`,
      field,
      cause,
    });
  }
}

/** The path with no links in its folder, so that one file has one name. */
async function settle(path: string): Promise<string> {
  if (!(await lookAt(dirname(path), 'out'))?.isDirectory()) {
    throw new PilothouseError('DIRECTORY_NOT_FOUND', `the folder ${dirname(path)} of the output is not there`, {
      hint: `Make it first: mkdir -p ${dirname(path)}`,
      field: 'out',
    });
  }
  const settled = join(await realpath(dirname(path)), basename(path));
  if ((await lookAt(settled, 'out'))?.isDirectory()) {
    throw new PilothouseError('INVALID_DESCRIPTION', `${settled} is a folder, and the output is a file`, {
      hint: 'Name a file with "out".',
      field: 'out',
    });
  }
  return realpath(settled).catch(whereMissing(settled));
}
