import { lstat } from 'node:fs/promises';
import { posix } from 'node:path';
import { PilothouseError } from '@pilothouse/sdk/shared';
import { checksumMismatch, sha256Of } from '../checksum.js';
import type { Run } from '../run.js';
import { walkTree } from '../tree.js';
import { runProgram, which } from './programs.js';
import { type Remote, remoteOf, scpAddress, shellQuoted, sshOptions } from './ssh-address.js';
import { sshFailed } from './ssh-failures.js';
import type { Outgoing, Transfer } from './transfer.js';

/** Names that one remote command line takes. */
const NAMES_AT_ONCE = 500;

/** A run, and the programs that it can use on this node. */
interface Tools {
  readonly run: Run;
  readonly remote: Remote;
  readonly options: readonly string[];
  readonly rsync: string | null;
}

/**
 * Files of another machine by SSH: rsync where both ends have it, else scp. Never asks for anything: keys and host keys are
 * those of the user's own ssh, and a host whose key is not known is refused.
 */
export class SshTransfer implements Transfer {
  readonly protocols = ['ssh:'];

  async fetch(run: Run, url: URL, folder: string): Promise<void> {
    const tools = await toolsFor(run, url);
    const { remote, rsync } = tools;
    if (rsync !== null) {
      const from = `${scpAddress(remote)}:${remote.path}`;
      if (await this.#rsync(tools, [from, `${folder}/`])) return checkFetched(tools, folder);
    }
    await this.#scp(tools, [`${scpAddress(remote)}:${remote.path}`, `${folder}/`]);
    await checkFetched(tools, folder);
  }

  async send(run: Run, files: readonly Outgoing[], url: URL, into: boolean): Promise<void> {
    const tools = await toolsFor(run, url);
    const { remote } = tools;
    for (const { path, below } of files) {
      const target = into ? posix.join(remote.path, below) : remote.path;
      await this.#makeFolder(tools, posix.dirname(target));
      await this.#sendOne(tools, path, target);
      if (run.checksum.kind !== 'none') await checkSent(tools, path, target);
      run.progress.file();
    }
  }

  async #sendOne(tools: Tools, path: string, target: string): Promise<void> {
    const { remote, rsync } = tools;
    const folder = (await lstat(path)).isDirectory();
    // With the slash the content of a folder goes into the target, not the folder itself.
    const from = folder ? `${path}/` : path;
    if (rsync !== null && (await this.#rsync(tools, [from, `${scpAddress(remote)}:${target}${folder ? '/' : ''}`])))
      return;
    // scp writes under the name it is given: under its own first, so that nobody takes a part for the whole.
    const part = posix.join(posix.dirname(target), `.pilothouse-${posix.basename(target)}.part`);
    await this.#scp(tools, [path, `${scpAddress(remote)}:${part}`]);
    await this.#remotely(tools, `mv -f -- ${shellQuoted(part)} ${shellQuoted(target)}`);
  }

  /** @returns false when the other end has no rsync */
  async #rsync({ run, remote, options, rsync }: Tools, paths: readonly [string, string]): Promise<boolean> {
    if (rsync === null) return false;
    const shell = ['ssh', ...options].map(shellQuoted).join(' ');
    const seen = { bytes: 0 };
    const argv: [string, ...string[]] = [
      rsync,
      '--recursive',
      '--links',
      '--perms',
      '--times',
      '--partial',
      // Names reach the other end as they are, past its shell.
      '--secluded-args',
      '--info=progress2',
      '--no-human-readable',
      '-e',
      shell,
      '--',
      ...paths,
    ];
    const end = await runProgram(argv, childEnvironment(run), run.signal, (text) => tellProgress(run, seen, text));
    if (end.code === 0) return true;
    if (/rsync: (command )?not found|rsync: No such file|exec.*rsync/i.test(end.stderr)) return false;
    throw sshFailed(run.field, remote, end);
  }

  async #scp({ run, remote, options }: Tools, paths: readonly [string, string]): Promise<void> {
    const argv: [string, ...string[]] = ['scp', '-r', '-p', ...scpOptions(options), '--', ...paths];
    const end = await runProgram(argv, childEnvironment(run), run.signal);
    if (end.code !== 0) throw sshFailed(run.field, remote, end);
  }

  async #makeFolder(tools: Tools, folder: string): Promise<void> {
    if (folder === '.' || folder === '/' || folder === '') return;
    await this.#remotely(tools, `mkdir -p -- ${shellQuoted(folder)}`);
  }

  async #remotely({ run, remote, options }: Tools, command: string): Promise<string> {
    const argv: [string, ...string[]] = ['ssh', ...options, '--', scpAddress(remote), command];
    const end = await runProgram(argv, childEnvironment(run), run.signal);
    if (end.code !== 0) throw sshFailed(run.field, remote, end);
    return end.stdout;
  }
}

async function toolsFor(run: Run, url: URL): Promise<Tools> {
  const remote = remoteOf(url, run.field);
  const { PATH } = childEnvironment(run);
  if ((await which('ssh', PATH)) === null) {
    throw new PilothouseError('STAGING_FAILED', `${run.field}: there is no ssh on this node`, {
      hint: 'Ask for the OpenSSH client to be installed, or fetch the data over https.',
      field: run.field,
    });
  }
  return { run, remote, options: sshOptions(remote, run.env), rsync: await which('rsync', PATH) };
}

/** What ssh needs of the caller's; messages in English, since they are read here. */
function childEnvironment({ env, task }: Run): Record<string, string> {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', HOME, USER, LOGNAME, SSH_AUTH_SOCK, PILOTHOUSE_HOME } = env;
  const wanted = { PATH, HOME, USER, LOGNAME, SSH_AUTH_SOCK, PILOTHOUSE_HOME, LC_ALL: 'C', PILOTHOUSE_TASK_ID: task };
  return Object.fromEntries(
    Object.entries(wanted).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** scp takes the same options, but for the port. */
function scpOptions(options: readonly string[]): string[] {
  return options.map((option) => (option === '-p' ? '-P' : option));
}

/** rsync writes lines such as `  1,048,576  45%  12.3MB/s` over each other. */
function tellProgress(run: Run, seen: { bytes: number }, text: string): void {
  const last = [...text.matchAll(/(\d[\d,]*)\s+\d+%/g)].at(-1)?.[1];
  if (last === undefined) return;
  const bytes = Number(last.replaceAll(',', ''));
  run.progress.bytes(bytes - seen.bytes);
  seen.bytes = bytes;
}

/** Compares what has come with what is there: by the checksums that the other machine gives. */
async function checkFetched(tools: Tools, folder: string): Promise<void> {
  const { run, remote } = tools;
  if (run.checksum.kind !== 'alike') return;
  const files = (await walkTree(folder, run.signal)).filter(({ kind }) => kind === 'file');
  const above = posix.dirname(remote.path);
  // A pattern's matches have come into one folder; where each was, nobody can tell.
  if (/[*?[]/.test(remote.path)) throw noPatternChecksum(run.field);
  const theirs = await remoteSums(
    tools,
    files.map(({ below }) => posix.join(above, below)),
  );
  for (const { below, path } of files) await compare(run, path, theirs.get(posix.join(above, below)) ?? 'none');
}

async function checkSent(tools: Tools, path: string, target: string): Promise<void> {
  const { run } = tools;
  const folder = (await lstat(path)).isDirectory();
  const files = folder
    ? (await walkTree(path, run.signal)).filter(({ kind }) => kind === 'file')
    : [{ path, below: '' }];
  const theirs = await remoteSums(
    tools,
    files.map(({ below }) => posix.join(target, below)),
  );
  for (const file of files) await compare(run, file.path, theirs.get(posix.join(target, file.below)) ?? 'none');
}

async function compare(run: Run, path: string, theirs: string): Promise<void> {
  const ours = await sha256Of(path, run.signal);
  const expected = run.checksum.kind === 'is' ? run.checksum.hex : theirs;
  if (ours !== expected || theirs !== expected) {
    throw checksumMismatch(run.field, path, expected, ours === expected ? theirs : ours);
  }
}

async function remoteSums({ run, remote, options }: Tools, paths: readonly string[]): Promise<Map<string, string>> {
  const sums = new Map<string, string>();
  for (let from = 0; from < paths.length; from += NAMES_AT_ONCE) {
    const names = paths
      .slice(from, from + NAMES_AT_ONCE)
      .map(shellQuoted)
      .join(' ');
    const argv: [string, ...string[]] = ['ssh', ...options, '--', scpAddress(remote), `sha256sum -z -- ${names}`];
    let text = '';
    const end = await runProgram(argv, childEnvironment(run), run.signal, (more) => {
      text += more;
    });
    if (end.code !== 0) throw sshFailed(run.field, remote, end);
    for (const line of text.split('\0')) if (line !== '') sums.set(line.slice(66), line.slice(0, 64));
  }
  return sums;
}

function noPatternChecksum(field: string): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', `${field}: a checksum cannot be asked for with a pattern by ssh`, {
    hint: 'Name the file or the folder, or leave the checksum out: rsync checks what it moves.',
    field,
  });
}
