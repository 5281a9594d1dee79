import type { EngineName, EngineReport, ErrorData, PilotState, Reason } from '@pilothouse/sdk/internal';

/** A pilot as an engine gets it: everything resolved. */
export interface PilotSpec {
  readonly id: string;
  readonly name: string;
  readonly cores: number;
  readonly gpus: number;
  /** bytes; null: no limit of its own */
  readonly memory: number | null;
  readonly nodes: number;
  /** seconds */
  readonly runtime: number;
  /** Seconds without work after which it ends by itself; undefined: as its agent thinks fit. */
  readonly idleAfter?: number | undefined;
  /** ISO 8601 */
  readonly createdAt: string;
}

/** A pilot of an earlier life of the bridge, as the logs know it. */
export interface KnownPilot {
  readonly spec: PilotSpec;
  readonly state: PilotState;
  /** Host it was last seen on. */
  readonly node: string | null;
  readonly endsAt: string | null;
}

/** What an engine holds for a pilot at the moment. */
export interface EnginePilot {
  readonly id: string;
  readonly state: 'QUEUED' | 'STARTED';
  readonly spec: PilotSpec;
}

/** What an engine reports of a pilot before its agent speaks, or when it is known never to speak again. */
export interface EngineEvent {
  readonly pilot: string;
  readonly state: 'QUEUED' | 'STARTING' | 'FAILED' | 'CANCELED';
  readonly reason: Reason | null;
  readonly error: ErrorData | null;
}

/** Why something is as it is. */
export interface Explanation {
  readonly text: string;
  readonly evidence: string[];
}

/**
 * Whether a pilot that is not heard of still runs. `gone` is said only where it is known for sure; `unattended` means
 * that its work runs, and that everything which looked after it was killed.
 */
export interface Examination {
  readonly verdict: 'alive' | 'unattended' | 'gone' | 'unknown';
  readonly evidence: string;
}

/**
 * A way to hold resources. It makes `pilots/<id>/` with what an agent needs, starts wardens, and says what it sees; what
 * that means for tasks and services is the managers' concern.
 */
export interface Engine {
  readonly name: EngineName;
  /** What it can give here and now. */
  capabilities(): Promise<EngineReport>;
  /** Throws PILOT_REFUSED or ENGINE_UNAVAILABLE when the pilot could never run. */
  check(spec: PilotSpec): Promise<void>;
  /** What would be run, and the sentence that says what is asked for. */
  preview(spec: PilotSpec): Promise<{ sentence: string; script: string }>;
  /**
   * Makes the pilot's folder, so that work can be spooled, then starts the pilot or queues it.
   *
   * @param key - the same pilot submitted again under its key changes nothing; the pilot's id serves as such
   */
  submit(spec: PilotSpec, key: string): Promise<void>;
  /** Takes a pilot that waits off the queue; true when it never started. A started one ends by its agent. */
  cancel(id: string): Promise<boolean>;
  /** Takes over what an earlier life of the bridge left. */
  adopt(pilots: readonly KnownPilot[]): Promise<void>;
  /** The pilot has ended: what it held is free. */
  release(id: string): void;
  /** Tells when a running pilot will end, for "waits until" sentences. */
  expectEnd(id: string, endsAt: string): void;
  examine(id: string): Promise<Examination>;
  /** Starts what looks after an `unattended` pilot again; it takes over what runs. */
  attend(id: string): Promise<void>;
  list(): EnginePilot[];
  /** Calls back on every event; returns the way to stop. */
  events(listener: (event: EngineEvent) => void): () => void;
  explain(id: string): Explanation | null;
}
