import type { ParseArgsOptionsConfig } from 'node:util';
import type { Config } from '../config.js';

/** What the commands of the command line share. */
export interface CliContext {
  readonly config: Config;
  /** Print machine-readable JSON instead of text. */
  readonly json: boolean;
  /** Prints a line of result. */
  print(text: string): void;
  /** Prints a line for people, never part of a result. */
  note(text: string): void;
  /** Prints a result: as JSON where asked, else the text. */
  result(value: unknown, text: () => string): void;
  /** Asks a yes-or-no question; false where nobody can answer. */
  confirm(question: string): Promise<boolean>;
  /** Reads a secret: hidden at a terminal, else all of stdin. */
  readSecret(prompt: string): Promise<string>;
}

/** What was written after the command's name. */
export interface Arguments {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
}

/** One command. */
export interface Command {
  readonly name: string;
  /** `end <pilot> | end --all [--yes]` */
  readonly usage: string;
  readonly summary: string;
  readonly options?: ParseArgsOptionsConfig;
  /** Smallest and largest number of words it takes. */
  readonly words: readonly [number, number];
  /** @returns the exit code; nothing for 0 */
  run(context: CliContext, args: Arguments): Promise<number | undefined>;
}

/** Exit codes, as `pilothouse --help` lists them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  notRunning: 4,
  unhealthy: 5,
} as const;
