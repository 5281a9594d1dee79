import type { StagingDirective } from '@pilothouse/sdk/shared';
import type { ChecksumWish } from './checksum.js';

/** How far a directive is, told as it goes. */
export interface Progress {
  file(): void;
  bytes(more: number): void;
  /** More bytes will have to be moved than was known. */
  expect(more: number): void;
  checksum(path: string, hex: string): void;
}

/** One directive on its way. */
export interface Run {
  /** Id of the task. */
  readonly task: string;
  readonly directive: StagingDirective;
  /** `stageIn.0`: how errors name it. */
  readonly field: string;
  readonly direction: 'in' | 'out';
  /** Absolute folders that relative paths of `from` and `to` are seen from. */
  readonly fromBase: string;
  readonly toBase: string;
  /** Of the caller: PATH, HOME, proxies. */
  readonly env: Readonly<Record<string, string>>;
  readonly checksum: ChecksumWish;
  readonly signal: AbortSignal;
  /** It may have been carried out before, in part or whole: then what was moved is no longer where it was. */
  readonly again: boolean;
  readonly progress: Progress;
}
