import type { Observable } from 'rxjs';
import type { ErrorCode } from '../errors/index.js';
import type {
  AnswerRecord,
  BatchRecord,
  Check,
  Contact,
  CredentialReport,
  EngineReport,
  Hello,
  PilotDescription,
  PilotRecord,
  Reason,
  ServiceRecord,
  Target,
  TaskRecord,
  TaskSetRecord,
  Timeline,
  ViewBundle,
  ViewUpdate,
} from '../schemas/index.js';
import type { ConnectionState, PilotState } from '../states/index.js';
import type { Duration } from '../units/duration.js';
import type { Answer, Answers } from './answer-types.js';
import type { Batch, Batches } from './batch-types.js';
import type { Service, Services } from './service-types.js';
import type { Task, TaskSet, Tasks } from './task-types.js';

export type * from './answer-types.js';
export type * from './batch-types.js';
export type * from './service-types.js';
export type * from './task-types.js';

/** Limits of one call. Every call that waits takes both. */
export interface CallOptions {
  /** Ends the waiting, never the work. */
  readonly signal?: AbortSignal | undefined;
  /** Rejects with TIMEOUT after this long; default 30 s for calls, none for `done`, `until`, `ready`, `result`. */
  readonly timeout?: Duration | undefined;
}

/** A state with everything that explains it. */
export interface Status<S extends string> {
  readonly state: S;
  readonly reason: Reason | null;
  readonly contact: Contact;
  /** ISO 8601 */
  readonly since: string;
  readonly attempt: number;
}

/** Why something is not further than it is. */
export interface Explanation {
  /** The sentence people read. */
  readonly text: string;
  /** What it was read from, line by line: counts, who holds what, the last lines of stderr. */
  readonly evidence: readonly string[];
}

/** What every handle of a live thing can do. A handle is a way to look: closing it ends nothing. */
export interface Handle<S extends string, R> extends AsyncDisposable {
  /** `<kind>-<10 characters>`; of an answer it is empty until the question has been taken. */
  readonly id: string;
  readonly name: string;
  readonly state: S;
  readonly status: Status<S>;
  /** Replays the last status, completes at a final state, never errors. */
  readonly status$: Observable<Status<S>>;
  /** Everything known at the moment. */
  readonly record: R;
  /** Like `status$`, with the whole record. */
  readonly record$: Observable<R>;
  /** Resolves when the state is reached; rejects at once, with the reason, when it can no longer come. */
  until(state: S, options?: CallOptions): Promise<Status<S>>;
  /** Resolves with the final status; never rejects for a failure. */
  done(options?: CallOptions): Promise<Status<S>>;
  /** Why it is not further than it is, in words. */
  explain(options?: CallOptions): Promise<string>;
  /** The same, with what it was read from. */
  explanation(options?: CallOptions): Promise<Explanation>;
  /** Stops looking; ends nothing. */
  close(): void;
}

/** A pilot: resources held for some time. */
export interface Pilot extends Handle<PilotState, PilotRecord> {
  readonly kind: 'pilot';
  /** Ends it with everything on it. */
  end(options?: CallOptions): Promise<void>;
  /** Takes nothing new; ends when what is on it has ended. */
  drain(options?: CallOptions): Promise<void>;
  /** Starts nothing new until `resume()`; what runs goes on. */
  suspend(options?: CallOptions): Promise<void>;
  resume(options?: CallOptions): Promise<void>;
  /** Its idle time starts anew: it is not ended for having nothing to do. */
  keep(options?: CallOptions): Promise<void>;
  /** More time; ENGINE_UNAVAILABLE, with the way round, where the engine cannot give it. */
  extend(by: Duration, options?: CallOptions): Promise<void>;
  /** Who held which cores and GPUs when, newest last. */
  timeline(options?: TimelineOptions): Promise<Timeline>;
}

/** Which part of a pilot's timeline. */
export interface TimelineOptions extends CallOptions {
  /** ISO 8601: only what had not ended by then. */
  readonly since?: string | undefined;
  /** At most so many spans, the newest; default 5,000. */
  readonly limit?: number | undefined;
}

/** Where to start reading a log. */
export interface LogOptions extends CallOptions {
  readonly stream?: 'stdout' | 'stderr' | undefined;
  /** Byte offset; negative counts from the end. Default 0. */
  readonly offset?: number | undefined;
  /** bytes, at most 1 MiB; default 64 KiB */
  readonly limit?: number | undefined;
}

/** Any handle. */
export type AnyHandle = Pilot | Task | TaskSet | Service | Answer<unknown> | Batch;

/** How the connection to Pilothouse stands. */
export interface Connection {
  readonly state: ConnectionState;
  /** Why it is not connected: remedy first. */
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined } | null;
  readonly bridge: Hello | null;
}

/** The picture: all things that are live or were of late, newest first. */
export interface Picture {
  readonly pilots: readonly PilotRecord[];
  readonly services: readonly ServiceRecord[];
  /** Those that belong to no set. */
  readonly tasks: readonly TaskRecord[];
  readonly sets: readonly TaskSetRecord[];
  readonly answers: readonly AnswerRecord[];
  readonly batches: readonly BatchRecord[];
}

export interface Pilots {
  /** Always a new one. */
  submit(description: PilotDescription, options?: CallOptions): Promise<Pilot>;
  /** The live one of that name, else a new one. */
  ensure(name: string, description: PilotDescription, options?: CallOptions): Promise<Pilot>;
  get(ref: string, options?: CallOptions): Promise<Pilot>;
  list(options?: CallOptions & { readonly all?: boolean }): Promise<Pilot[]>;
  preview(description: PilotDescription, options?: CallOptions): Promise<{ sentence: string; script: string }>;
}

export interface Credentials {
  list(options?: CallOptions): Promise<CredentialReport[]>;
  put(name: string, secret: string, options?: CallOptions): Promise<CredentialReport>;
  remove(name: string, options?: CallOptions): Promise<void>;
}

/** Taking part in a live view in a cell; see `show`. */
export interface Views {
  render(viewId: string, target: Target): Promise<ViewBundle>;
  join(viewId: string, target: Target, role: 'renderer' | 'kernel'): Observable<ViewUpdate>;
  confirm(viewId: string): Promise<void>;
}

/** A client's connection to Pilothouse. */
export interface Session extends AsyncDisposable {
  /** Notebook path or given name; ownership is by this. */
  readonly name: string;
  readonly connection: Connection;
  /** Replays the last, completes when closed. */
  readonly connection$: Observable<Connection>;
  readonly picture: Picture;
  /** Starts with a whole picture, then one value per change (at most 30 a second). */
  readonly picture$: Observable<Picture>;
  readonly pilots: Pilots;
  readonly tasks: Tasks;
  readonly services: Services;
  readonly answers: Answers;
  readonly batches: Batches;
  readonly credentials: Credentials;
  readonly views: Views;
  engines(options?: CallOptions): Promise<EngineReport[]>;
  doctor(options?: CallOptions): Promise<Check[]>;
  /** Takes a final thing off the lists. */
  forget(target: Target, options?: CallOptions): Promise<void>;
  /** Tries at once instead of waiting for the next attempt. */
  reconnect(): void;
  /** Ends nothing. */
  close(): Promise<void>;
}
