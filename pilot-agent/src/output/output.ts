import { copyFile, mkdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type LogChunk, type OutputRange, PilothouseError } from '@pilothouse/sdk/shared';
import type { Captured } from '../launcher/spawn.js';
import type { Seen } from '../launcher/warden-messages.js';
import { log } from '../log.js';
import { Pack } from './pack.js';
import { chunk, readLive, readRange, sizeOf, startOf } from './ranges.js';
import { type Files, Slots } from './slots.js';

/** Which of the two outputs of a process. */
export type OutputStream = 'stdout' | 'stderr';

const STREAMS = ['stdout', 'stderr'] as const;
const SUFFIX = { stdout: 'out', stderr: 'err' } as const;
const TAIL_BYTES = 4096;
const TAIL_LINES = 20;

/** A pair of files that is lent to a task. */
interface Lent {
  readonly files: Files;
  /** What the warden said about it at the end. */
  captured: Captured | undefined;
}

/**
 * Output of tasks and instances. While one runs, its two files lie on the node; at the end they go into one file per
 * agent in the pilot's folder, since two files for each of many tasks are more than a shared file system bears.
 *
 * Instances, which start again, write to files of their own name; tasks to files that are lent and used again.
 */
export class Output {
  readonly #liveFolder: string;
  readonly #folder: string;
  readonly #packName: string;
  readonly #packed = new Map<string, OutputRange>();
  readonly #lent = new Map<string, Lent>();
  readonly #slots: Slots;
  readonly #empty: OutputRange;
  #pack: Pack | undefined;

  /**
   * @param liveFolder - node-local folder
   * @param folder - the pilot's folder
   * @param epoch - of this agent; names its file
   */
  constructor(liveFolder: string, folder: string, epoch: number) {
    this.#liveFolder = liveFolder;
    this.#folder = folder;
    this.#packName = `output/${epoch}.log`;
    this.#slots = new Slots(liveFolder, epoch);
    const nothing = { offset: 0, length: 0 };
    this.#empty = { file: this.#packName, stdout: nothing, stderr: nothing };
  }

  async prepare(): Promise<void> {
    await mkdir(this.#liveFolder, { recursive: true, mode: 0o700 });
    await mkdir(join(this.#folder, 'output'), { recursive: true, mode: 0o700 });
    this.#slots.prepare();
    // There from the start, so that a range of nothing can be read too.
    this.#pack = await Pack.open(join(this.#folder, this.#packName));
  }

  /** Removes files that earlier agents lent to what has ended since. */
  async tidy(found: Iterable<Seen>): Promise<void> {
    const used = new Set<string>();
    for (const seen of found) {
      const files = filesOf(seen);
      if (files !== undefined) used.add(files.stdout).add(files.stderr);
    }
    await this.#slots.tidy(used);
  }

  /** Files for an attempt of a task to write to, until {@link discard} or the next attempt. */
  lend(id: string): Files {
    const earlier = this.#lent.get(id);
    if (earlier) this.#giveBack(earlier).catch((error: unknown) => log(`output of ${id} is left on the node`, error));
    const files = this.#slots.take();
    this.#lent.set(id, { files, captured: undefined });
    // What an earlier attempt wrote is told by its record; who reads now means this one.
    this.#packed.delete(id);
    return files;
  }

  /** Goes on with the files of a task that an earlier agent has started. */
  adopt(id: string, seen: Seen): void {
    const files = filesOf(seen);
    if (files !== undefined) this.#lent.set(id, { files, captured: undefined });
  }

  /** Where a running process writes. */
  livePath(id: string, stream: OutputStream): string {
    return this.#lent.get(id)?.files[stream] ?? this.#ownPath(id, stream);
  }

  /** Tells where the output of something that ended earlier lies. */
  remember(id: string, range: OutputRange): void {
    this.#packed.set(id, range);
  }

  /**
   * Moves the output of something that has ended into the packed file. The node's files stay until {@link discard}.
   *
   * @param captured - what the warden said about it, which may save opening the files
   * @param ownFiles - whether it gets files of its own beside the packed one: `output/<id>.out` and `.err`
   */
  pack(id: string, captured?: Captured | null, ownFiles = false): OutputRange | Promise<OutputRange> {
    const lent = this.#lent.get(id);
    if (lent && captured) lent.captured = captured;
    if (captured && captured.stdout + captured.stderr === 0 && !ownFiles) {
      this.#packed.set(id, this.#empty);
      return this.#empty;
    }
    return this.#move(id, captured ?? undefined, ownFiles);
  }

  /** Frees the node's files of something whose end is in the journal. */
  async discard(id: string): Promise<void> {
    const lent = this.#lent.get(id);
    if (lent === undefined) {
      for (const stream of STREAMS) await unlink(this.#ownPath(id, stream)).catch(ignoreMissing);
      return;
    }
    this.#lent.delete(id);
    await this.#giveBack(lent);
  }

  /** Keeps the node's files of something whose output could not be packed, under its own name. */
  leave(id: string): void {
    const lent = this.#lent.get(id);
    if (lent === undefined) return;
    this.#lent.delete(id);
    this.#slots.keep(lent.files, { stdout: this.#ownPath(id, 'stdout'), stderr: this.#ownPath(id, 'stderr') });
  }

  /** Bytes that a process has written to stdout and stderr so far. */
  async sizes(id: string): Promise<[number, number]> {
    const [stdout = 0, stderr = 0] = await Promise.all(STREAMS.map((stream) => sizeOf(this.livePath(id, stream))));
    return [stdout, stderr];
  }

  /** The last lines of what a process has written to stderr since an offset, at most 4 KiB. */
  async stderrTail(id: string, since = 0): Promise<string> {
    const size = (await sizeOf(this.livePath(id, 'stderr'))) ?? 0;
    const from = Math.max(since, size - TAIL_BYTES);
    const bytes = await readRange(this.livePath(id, 'stderr'), from, size - from);
    const lines = bytes.toString('utf8').trimEnd().split('\n');
    // A cut first line says little and may begin inside a character; of a line that is longer than all, the end is
    // all there is to show.
    const whole = from > since && lines.length > 1 ? lines.slice(1) : lines;
    return whole.slice(-TAIL_LINES).join('\n');
  }

  /**
   * Reads a piece of an output, live or packed.
   *
   * @param expected - whether it is known and may still write: then no output yet is an empty one
   * @throws PilothouseError TASK_NOT_FOUND when nothing of that id has run here
   */
  async read(id: string, stream: OutputStream, offset: number, limit: number, expected = false): Promise<LogChunk> {
    const packed = this.#packed.get(id);
    if (packed) {
      const { offset: start, length } = packed[stream];
      const from = startOf(offset, length);
      const bytes = await readRange(join(this.#folder, packed.file), start + from, Math.min(limit, length - from));
      return chunk(bytes, from, length, true);
    }
    const path = this.livePath(id, stream);
    const size = await sizeOf(path);
    if (size !== undefined) return readLive(path, size, offset, limit);
    if (expected) return { text: '', offset: 0, next: 0, size: 0, complete: false };
    throw new PilothouseError('TASK_NOT_FOUND', `there is no output of ${id} on this node`, {
      hint: 'It has not started yet, or it ran on another pilot.',
    });
  }

  async #move(id: string, captured: Captured | undefined, ownFiles: boolean): Promise<OutputRange> {
    const pack = this.#pack;
    if (pack === undefined) throw new Error('output is packed before it was prepared');
    const text = captured?.text;
    const sources = text
      ? STREAMS.map((stream) => Buffer.from(text[stream], 'latin1'))
      : STREAMS.map((stream) => this.livePath(id, stream));
    const [stdout, stderr] = await pack.add(sources);
    if (stdout === undefined || stderr === undefined) throw new Error('a pack answers with one range for each source');
    if (ownFiles) await Promise.all(STREAMS.map((stream) => this.#copyOut(id, stream)));
    const range: OutputRange = { file: this.#packName, stdout, stderr };
    this.#packed.set(id, range);
    return range;
  }

  async #copyOut(id: string, stream: OutputStream): Promise<void> {
    await copyFile(this.livePath(id, stream), join(this.#folder, 'output', `${id}.${SUFFIX[stream]}`));
  }

  #giveBack({ files, captured }: Lent): Promise<void> {
    return this.#slots.give(files, captured && captured.stdout + captured.stderr);
  }

  async close(): Promise<void> {
    await this.#pack?.close();
  }

  #ownPath(id: string, stream: OutputStream): string {
    return join(this.#liveFolder, `${id}.${SUFFIX[stream]}`);
  }
}

function filesOf(seen: Seen): Files | undefined {
  if (seen.state !== 'running' && seen.state !== 'exited') return undefined;
  const [stdout, stderr] = seen.files ?? [];
  return stdout && stderr ? { stdout, stderr } : undefined;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
