import type { Seen } from './warden-messages.js';

/** What to start. */
export interface SpawnOrder {
  /** Never used a second time; the warden starts each id at most once. */
  readonly id: string;
  /** Variable `NAME=value` in `env` or `own` by which everything that belongs to it is known. */
  readonly mark: string;
  readonly path: string;
  readonly argv: readonly string[];
  /**
   * Variables of the process. Where there are variables of `own` beside it, it should be the same object in all orders
   * that share it: it is then sent once.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Variables of this order alone; none of them is in `env` too. */
  readonly own?: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly cpus: readonly number[] | null;
  /** bytes that all its processes may take together: over it they are killed, and the exit says so; null: no limit */
  readonly memory?: number | null;
}

/** What a process and its descendants have used. */
export interface ProcessUsage {
  /** seconds */
  readonly wall: number;
  /** seconds of CPU time, user and system */
  readonly cpu: number;
  /** bytes; of the largest process, or of all together where memory was watched */
  readonly maxRss: number;
  /** bytes read from and written to storage */
  readonly read: number;
  readonly written: number;
}

/** What a process has written, when everything of it is gone. */
export interface Captured {
  /** bytes in each file */
  readonly stdout: number;
  readonly stderr: number;
  /** The content itself, one character a byte (latin1), when it is short; absent: read the files. */
  readonly text?: { readonly stdout: string; readonly stderr: string };
}

/** How a process ended, beside its code. What an earlier warden has seen may be all that is known. */
export interface SpawnExit {
  readonly usage: ProcessUsage | null;
  /** It was killed because its processes took more memory than the order allowed; both in bytes. */
  readonly oom: { readonly peak: number; readonly limit: number } | null;
  readonly output: Captured | null;
}

/** Why it did not start. */
export interface SpawnFailure {
  readonly errno: number | null;
  readonly message: string;
}

/** With what the ending of a process begins. */
export type EndSignal = 'TERM' | 'INT' | 'USR1' | 'USR2' | 'HUP';

/** Hears what becomes of one spawn: `started` and then `exited`, or one of the others alone. */
export interface SpawnWatcher {
  started(pid: number): void;
  /** Everything that belonged to it is gone. A negative code is minus the number of the signal. */
  exited(code: number, exit: SpawnExit): void;
  failed(failure: SpawnFailure): void;
  /** Nobody can say whether it ran, or how it ended: the warden was killed. */
  lost(): void;
}

/** What the warden says about an exit, in the words of this side. */
export function exitOf(seen: Extract<Seen, { state: 'exited' }>): SpawnExit {
  const { usage, oom, out, err, text } = seen;
  return {
    usage: usage && { wall: usage[0], cpu: usage[1], maxRss: usage[2], read: usage[3], written: usage[4] },
    oom: oom === undefined ? null : { peak: oom[0], limit: oom[1] },
    output:
      out === undefined || err === undefined
        ? null
        : { stdout: out, stderr: err, ...(text ? { text: { stdout: text[0], stderr: text[1] } } : {}) },
  };
}
