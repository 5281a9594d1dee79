import { type FileHandle, open } from 'node:fs/promises';
import { log } from '../log.js';
import { pause } from './pause.js';

/** How far an instance has loaded. */
export interface Progress {
  readonly text: string;
  /** 0 to 1; null: it does not say. */
  readonly share: number | null;
}

const SHORTEST_MS = 20;
const LONGEST_MS = 250;
const CHUNK = 64 << 10;
/** Of a longer line, so much is looked at; a pattern that backtracks would take for ever on more. */
const LONGEST_LINE = 4096;
const LONGEST_TEXT = 200;

interface Source {
  readonly path: string;
  position: number;
  file: FileHandle | undefined;
  /** Beginning of a line that has not ended yet. */
  rest: string;
}

/** Reads what an instance writes, from where its attempt begins, for as long as somebody wants to know. */
export class OutputWatch {
  readonly #sources: Source[];
  readonly #patterns: readonly RegExp[];
  readonly #awaited = new Map<string, { readonly expression: RegExp; line: string | undefined; told: () => void }>();
  #progress: Progress | undefined;
  #running: Promise<void> | undefined;

  /**
   * @param paths - files of stdout and stderr
   * @param from - where in them the attempt begins
   * @param progress - regular expressions of lines that say how far it has loaded
   * @throws SyntaxError for an expression that is none
   */
  constructor(paths: readonly string[], from: readonly number[], progress: readonly string[]) {
    this.#sources = paths.map((path, index) => ({ path, position: from[index] ?? 0, file: undefined, rest: '' }));
    this.#patterns = progress.map((source) => new RegExp(source));
  }

  get progress(): Progress | undefined {
    return this.#progress;
  }

  /** Reads until the signal comes; does nothing where nobody wants to know anything. */
  start(signal: AbortSignal): void {
    if (this.#patterns.length > 0 || this.#awaited.size > 0) this.#running ??= this.#read(signal);
  }

  /** Has lines looked at for a match of this expression. @throws SyntaxError when it is none */
  await(pattern: string): void {
    if (!this.#awaited.has(pattern)) {
      this.#awaited.set(pattern, { expression: new RegExp(pattern), line: undefined, told: () => undefined });
    }
  }

  /** The line that has matched; undefined: none has. */
  matched(pattern: string): string | undefined {
    return this.#awaited.get(pattern)?.line;
  }

  /** Resolves when a line has matched, or the signal comes. */
  whenMatched(pattern: string, signal: AbortSignal): Promise<void> {
    const awaited = this.#awaited.get(pattern);
    return new Promise((resolve) => {
      if (awaited === undefined || awaited.line !== undefined || signal.aborted) {
        resolve();
        return;
      }
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done);
      awaited.told = done;
    });
  }

  async #read(signal: AbortSignal): Promise<void> {
    try {
      for (let wait = SHORTEST_MS; !signal.aborted; wait = Math.min(wait * 1.1, LONGEST_MS)) {
        for (const source of this.#sources) await this.#readOn(source);
        await pause(wait, signal);
      }
    } catch (error) {
      log('the output of an instance cannot be read', error);
    } finally {
      for (const { file } of this.#sources) await file?.close();
    }
  }

  async #readOn(source: Source): Promise<void> {
    source.file ??= await open(source.path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return undefined;
    });
    for (let more = source.file !== undefined; more; ) {
      const read = await source.file?.read(Buffer.alloc(CHUNK), 0, CHUNK, source.position);
      const bytes = read?.bytesRead ?? 0;
      more = bytes === CHUNK;
      if (bytes === 0 || read === undefined) return;
      source.position += bytes;
      // A bar that draws itself anew ends each of its lines with a carriage return.
      const lines = (source.rest + read.buffer.toString('latin1', 0, bytes)).split(/[\r\n]+/);
      source.rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
      for (const line of lines) this.#look(Buffer.from(line.slice(0, LONGEST_LINE), 'latin1').toString('utf8'));
    }
  }

  #look(line: string): void {
    for (const awaited of this.#awaited.values()) {
      if (awaited.line !== undefined || !awaited.expression.test(line)) continue;
      awaited.line = line;
      awaited.told();
    }
    for (const pattern of this.#patterns) {
      const match = pattern.exec(line);
      if (match) this.#progress = { text: line.trim().slice(0, LONGEST_TEXT), share: shareOf(match) };
    }
  }
}

/** One group is a percentage, two are "n of m". */
function shareOf([, first, second]: RegExpExecArray): number | null {
  const number = Number.parseFloat(first ?? '');
  const of = second === undefined ? 100 : Number.parseFloat(second);
  if (!Number.isFinite(number) || !(of > 0)) return null;
  return Math.min(1, Math.max(0, number / of));
}
