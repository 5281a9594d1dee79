import type { Observable } from 'rxjs';
import type { PilothouseError } from '../errors/index.js';
import type { DefinedFunction, FunctionOptions, MapItem } from '../functions/types.js';
import type {
  FunctionCall,
  LogChunk,
  TaskCounts,
  TaskDescription,
  TaskFile,
  TaskRecord,
  TaskRows,
  TaskSetRecord,
  TaskUsage,
} from '../schemas/index.js';
import type { TaskSetState, TaskState } from '../states/index.js';
import type { Size } from '../units/size.js';
import type { CallOptions, Handle, LogOptions, Pilot, Service, Status } from './types.js';

/** What a finished task came to. */
export interface TaskResult {
  readonly exitCode: number;
  /** The last 64 KiB. */
  readonly stdout: string;
  /** What a function gave back; of a command undefined. */
  readonly value: unknown;
}

/** Where to start following a log. */
export interface FollowOptions {
  /** Byte offset; negative counts from the end. Default 0. */
  readonly offset?: number | undefined;
}

/** How much of a file to read. */
export interface OutputOptions extends CallOptions {
  /** Refused with FILE_TOO_LARGE beyond this; default `64MiB`. */
  readonly limit?: Size | undefined;
}

/** A task: a command or a function call on a pilot. */
export interface Task extends Handle<TaskState, TaskRecord> {
  readonly kind: 'task';
  /** What it has used; null before its end. */
  readonly usage: TaskUsage | null;
  /** What its function gave back, as far as it is here; `result()` also fetches large values. */
  readonly value: unknown;
  /** Rejects with TASK_FAILED or what made it fail (FUNCTION_RAISED, OUT_OF_MEMORY …), or with TASK_CANCELED. */
  result(options?: CallOptions): Promise<TaskResult>;
  log(options?: LogOptions): Promise<LogChunk>;
  /** Output from the start on, following it until the end. Each subscriber gets all of it. */
  readonly stdout$: Observable<string>;
  readonly stderr$: Observable<string>;
  /** One of both from any offset on, following it until the end. */
  follow(stream: 'stdout' | 'stderr', options?: FollowOptions): Observable<string>;
  /** What it has left: its own folder, or what its `stageOut` names; at most 1,000. */
  files(options?: CallOptions): Promise<TaskFile[]>;
  /**
   * One of its files.
   *
   * @throws PilothouseError DATA_NOT_FOUND, or FILE_TOO_LARGE with the path to copy it from
   * @example
   * ```ts
   * const task = await session.tasks.submit({ command: ['python', 'prep.py'] });
   * await task.done();
   * const text = new TextDecoder().decode(await task.output('report.txt', { limit: '1MiB' }));
   * ```
   */
  output(path: string, options?: OutputOptions): Promise<Uint8Array>;
  /** Ends all of its processes. */
  cancel(options?: CallOptions): Promise<void>;
  /** The same again, as a new task. */
  retry(options?: CallOptions): Promise<Task>;
}

/** What a command came to, where a function would give a value. */
export interface CommandEnd {
  readonly exitCode: number | null;
  readonly usage: TaskUsage | null;
}

/** What one task of a set came to, whatever it was. */
export interface SetResultBase {
  /** Place in the order of completion, from 0: what to go on after. */
  readonly index: number;
  readonly id: string;
  readonly name: string;
  /** Place in the order of submission, from 0. */
  readonly number: number;
  readonly state: 'DONE' | 'FAILED' | 'CANCELED';
  readonly attempt: number;
  readonly exitCode: number | null;
  readonly stderrTail: string | null;
  readonly usage: TaskUsage | null;
}

/** What one task of a set came to: a value or an error. */
export type SetResult<V = unknown> = SetResultBase &
  (
    | {
        readonly error: null;
        /** What a function gave back, or how a command ended. */
        readonly value: V;
      }
    | {
        /** Why there is no value; a function's exception is its `cause`. */
        readonly error: PilothouseError;
        readonly value: undefined;
      }
  );

/** Final status of a set, with how many of its tasks ended how. */
export interface SetEnd extends Status<TaskSetState> {
  readonly done: number;
  readonly failed: number;
  readonly canceled: number;
}

/** Many tasks as one thing. */
export interface TaskSet<V = unknown> extends Handle<TaskSetState, TaskSetRecord> {
  readonly kind: 'set';
  readonly counts: TaskCounts;
  /** Ended tasks, tasks in all, and the one over the other (0 to 1). */
  readonly progress: { readonly ended: number; readonly total: number; readonly fraction: number };
  /** Each result once, in order of completion, from the first on, also across lost connections; completes with the set. */
  readonly results$: Observable<SetResult<V>>;
  /** Like `results$`, from one place in the order of completion on. */
  resultsFrom(index: number): Observable<SetResult<V>>;
  /** Resolves with counts when all have ended; never rejects for a failure. */
  done(options?: CallOptions): Promise<SetEnd>;
  /**
   * Values in order of submission. Rejects as soon as one has failed or was canceled; with `settled` never for that, and
   * gives results instead of values.
   */
  results(options: CallOptions & { readonly settled: true }): Promise<SetResult<V>[]>;
  results(options?: CallOptions & { readonly settled?: false | undefined }): Promise<V[]>;
  /** The first results, in order of completion: `count` of them, or fewer when there are no more. */
  waitAny(count?: number, options?: CallOptions): Promise<SetResult<V>[]>;
  /** The same as `done()`. */
  waitAll(options?: CallOptions): Promise<SetEnd>;
  /** One of its tasks, by its name or by its number in order of submission. */
  task(ref: string | number, options?: CallOptions): Promise<Task>;
  /** Its tasks (of some states), in order of submission. */
  tasks(options?: TaskFilter): Promise<Task[]>;
  /** More tasks, for a set that was opened and not closed yet. Resolves when they are durable, with how many there are now. */
  add(descriptions: Many<TaskEntryInput>, options?: CallOptions): Promise<number>;
  /** No more tasks will come: it can end. */
  closeSubmission(options?: CallOptions): Promise<void>;
  /** Cancels what has not ended. */
  cancel(options?: CallOptions): Promise<void>;
  /** What has failed (and with `canceled`, what was canceled) again, as a new set. */
  retryFailed(options?: CallOptions & { readonly canceled?: boolean | undefined }): Promise<TaskSet<V>>;
}

export interface TaskFilter extends CallOptions {
  readonly state?: TaskState | readonly TaskState[] | undefined;
  /** At most so many; default 1,000. */
  readonly limit?: number | undefined;
}

/** One call of a function, as light as can be: its task is there when it is asked for. */
export interface Call<V = unknown> {
  readonly kind: 'call';
  /** Id of its task; empty until it has been taken. */
  readonly id: string;
  /** Of the function. */
  readonly name: string;
  /** NEW until it has ended; `task()` tells more. */
  readonly state: 'NEW' | 'DONE' | 'FAILED' | 'CANCELED';
  /** What the function gave back. Rejects with FUNCTION_RAISED when it raised, with the exception as `cause`. */
  result(options?: CallOptions): Promise<V>;
  /** Resolves when it has ended; never rejects for a failure. */
  done(options?: CallOptions): Promise<SetResult<V>>;
  /** Its task: where it runs, why it waits, what it printed. */
  task(options?: CallOptions): Promise<Task>;
  explain(options?: CallOptions): Promise<string>;
  cancel(options?: CallOptions): Promise<void>;
}

/** Fields of a task in which handles may stand for ids. */
export type CommonInput = Omit<TaskDescription, 'pilot' | 'services' | 'after' | 'command' | 'call'> & {
  readonly pilot?: string | Pilot | undefined;
  readonly services?: readonly (string | Service)[] | undefined;
  /** Tasks that come first: until they are DONE, or as `when` says. */
  readonly after?:
    | readonly (
        | string
        | Task
        | { readonly task: string | Task; readonly when?: 'done' | 'finished' | 'failed' | undefined }
      )[]
    | undefined;
};

/** A task that runs a command. */
export type CommandInput = CommonInput & {
  /** Program and arguments; no shell between. */
  readonly command: string[];
  readonly call?: undefined;
};

/** A task that calls a function; `session.tasks.run` is the short way. */
export type CallInput = CommonInput & { readonly call: FunctionCall; readonly command?: undefined };

/** A task as users describe it, with handles where ids may stand. */
export type TaskInput = CommandInput | CallInput;

/** Fields of a task on top of its set's template. */
export type TaskEntryInput = CommonInput & {
  readonly command?: string[] | undefined;
  readonly call?: FunctionCall | undefined;
};

/** A list, or anything else that can be gone through, also as it comes. */
export type Many<T> = Iterable<T> | AsyncIterable<T>;

/** What the tasks of a set have in common. */
export interface SetOptions extends CallOptions {
  readonly name?: string | undefined;
  /** What the latest set of this name has DONE, by name and description, is taken over and not run again. */
  readonly resume?: boolean | undefined;
  /** For all of its tasks. */
  readonly pilot?: string | Pilot | undefined;
  /** Fields that every task starts from; its own come on top. */
  readonly template?: TaskEntryInput | undefined;
  /** How many will come, where known: for progress before all have been submitted. */
  readonly expected?: number | undefined;
}

export interface MapOptions extends FunctionOptions, CallOptions {
  readonly name?: string | undefined;
  readonly resume?: boolean | undefined;
}

/** `session.tasks` */
export interface Tasks {
  submit(description: TaskInput, options?: CallOptions): Promise<Task>;
  /**
   * Many tasks as one set: sent in pieces while they are read, durable when it resolves. `timeout` is for all of it.
   *
   * @example
   * ```ts
   * const wells = ['A01', 'A02', 'A03'];
   * const set = await session.tasks.submitMany(
   *   wells.map((well) => ({ name: well, command: ['python', 'prep.py', '--well', well] })),
   *   { name: 'preprocess', resume: true },
   * );
   * const { done, failed } = await set.done();
   * ```
   */
  submitMany(
    descriptions: Many<TaskEntryInput>,
    options: SetOptions & { readonly template: TaskEntryInput },
  ): Promise<TaskSet>;
  submitMany(descriptions: Many<CommandInput>, options?: SetOptions): Promise<TaskSet<CommandEnd>>;
  submitMany(descriptions: Many<TaskInput>, options?: SetOptions): Promise<TaskSet>;
  /** A set that takes tasks one after another with `add`, until `closeSubmission`. */
  openSet(options?: SetOptions): Promise<TaskSet>;
  /**
   * Calls a function in a warm worker. Returns at once; what is called in one turn travels together.
   *
   * @example
   * ```ts
   * const score = defineFunction({ python: 'scoring:score', input: z.string(), output: z.number() });
   * const value = await session.tasks.run(score, 'A01').result(); // number
   * ```
   */
  run<A extends readonly unknown[], V>(fn: DefinedFunction<A, V>, ...args: A): Call<V>;
  /**
   * Calls a function once for each item, as one set with the values as results.
   *
   * @example
   * ```ts
   * const score = defineFunction({ python: 'scoring:score', input: z.string(), output: z.number() });
   * const scores = await session.tasks.map(score, ['A01', 'A02'], { name: 'scores' });
   * const values = await scores.results(); // number[], in the order of the items
   * ```
   */
  map<A extends readonly unknown[], V>(
    fn: DefinedFunction<A, V>,
    items: Many<MapItem<A>>,
    options?: MapOptions,
  ): Promise<TaskSet<V>>;
  get(ref: string, options?: CallOptions): Promise<Task>;
  /** Those that belong to no set. */
  list(options?: CallOptions & { readonly all?: boolean }): Promise<Task[]>;
  /** A task set, by id or name. */
  set(ref: string, options?: CallOptions): Promise<TaskSet>;
  sets(options?: CallOptions & { readonly all?: boolean }): Promise<TaskSet[]>;
  /** Several at once; those that have ended are left as they are. Resolves with how many were canceled. */
  cancelMany(tasks: readonly (string | Task)[], options?: CallOptions): Promise<number>;
  /** Tasks as compact rows, live, for tables of 100,000: all, or those of one set or pilot. Starts anew (`reset`) after a lost connection. */
  rows$(filter?: {
    readonly set?: string | TaskSet | undefined;
    readonly pilot?: string | Pilot | undefined;
  }): Observable<TaskRows>;
}
