import { PilothouseError } from '../../errors/index.js';
import type { EncodedArguments } from '../../functions/data.js';
import { asDefined } from '../../functions/define-function.js';
import { newId } from '../../ids/ids.js';
import type { TaskEntry, TaskOutcome, TaskSetDescription } from '../../schemas/index.js';
import { setName } from '../calls/call-pool.js';
import type { CallingCore } from '../handles/core.js';
import { TaskHandle } from '../handles/task-handle.js';
import { readRows } from '../handles/task-rows.js';
import { TaskSetHandle } from '../handles/task-set-handle.js';
import { onAbort } from '../on-abort.js';
import { decodePayload } from '../payloads.js';
import { observe } from '../streams/observe.js';
import { mapMany } from '../submission/many.js';
import { openSet, submitSet } from '../submission/open-set.js';
import { toDescription, toEntry } from '../submission/task-input.js';
import type {
  CallOptions,
  CommandEnd,
  CommandInput,
  Many,
  SetOptions,
  TaskEntryInput,
  TaskInput,
  TaskSet,
  Tasks,
} from '../types.js';
import { reference } from './reference.js';

/** `cancelMany` of the contract takes so many. */
const CANCEL = 10_000;

/** `session.tasks` */
export function tasksOf(core: CallingCore): Tasks {
  const { caller, store, calls } = core;

  /** Of tasks whose function, if any, is not known here. */
  const plainValue = ({ value, exitCode, usage }: TaskOutcome): unknown =>
    value === null ? { exitCode, usage } : decodePayload(value, core.readFile);

  function submitMany(
    descriptions: Many<TaskEntryInput>,
    options: SetOptions & { readonly template: TaskEntryInput },
  ): Promise<TaskSet>;
  function submitMany(descriptions: Many<CommandInput>, options?: SetOptions): Promise<TaskSet<CommandEnd>>;
  function submitMany(descriptions: Many<TaskInput>, options?: SetOptions): Promise<TaskSet>;
  function submitMany(descriptions: Many<TaskEntryInput>, options: SetOptions = {}): Promise<TaskSet> {
    const { description, limits } = describe(options);
    const expected = description.expected ?? (Array.isArray(descriptions) ? descriptions.length : undefined);
    const whole = expected === undefined ? description : { ...description, expected };
    return submitSet(core, whole, mapMany(descriptions, toEntry), plainValue, limits);
  }

  return {
    async submit(input, options) {
      const tasks = [{ description: toDescription(input), key: newId('key') }];
      const { origin } = caller;
      const [record] = await caller.call('submitting a task', options, (api, signal) =>
        api.tasks.submit({ tasks, origin }, { signal }),
      );
      if (!record) throw new PilothouseError('INTERNAL', 'One task was submitted and none came back.');
      return new TaskHandle(core, store.putTask(record));
    },
    submitMany,
    openSet(options = {}) {
      const { description, limits } = describe(options);
      return openSet(core, description, plainValue, limits);
    },
    run: (fn, ...args) => calls.run(fn, args),
    map(fn, items, { name = setName(fn), resume, signal, timeout, ...options } = {}) {
      const template = calls.template(asDefined(fn), options);
      const description = { template, ...(name ? { name } : {}), ...(resume ? { resume } : {}) };
      const entries = mapMany<unknown, TaskEntry>(items, (item) => {
        const encoded = fn.encodeItem(item);
        return encoded instanceof Promise ? encoded.then(entryOf) : entryOf(encoded);
      });
      const decode = ({ value }: TaskOutcome) => {
        const payload = value === null ? null : decodePayload(value, core.readFile);
        return payload instanceof Promise ? payload.then(fn.decode) : fn.decode(payload);
      };
      return submitSet(core, description, entries, decode, { signal, timeout });
    },
    async get(ref, options) {
      const record = await caller.call(`task ${ref}`, options, (api, signal) => api.tasks.get({ ref }, { signal }));
      return new TaskHandle(core, store.putTask(record));
    },
    async list({ all = false, ...options } = {}) {
      const records = await caller.call('listing tasks', options, (api, signal) => api.tasks.list({ all }, { signal }));
      return records.map((record) => new TaskHandle(core, store.putTask(record)));
    },
    async set(ref, options) {
      const record = await caller.call(`task set ${ref}`, options, (api, signal) => api.sets.get({ ref }, { signal }));
      return new TaskSetHandle(core, store.sets.put(record), plainValue);
    },
    async sets({ all = false, ...options } = {}) {
      const records = await caller.call('listing task sets', options, (api, signal) =>
        api.sets.list({ all }, { signal }),
      );
      return records.map((record) => new TaskSetHandle(core, store.sets.put(record), plainValue));
    },
    async cancelMany(tasks, options) {
      let canceled = 0;
      for (let at = 0; at < tasks.length; at += CANCEL) {
        const ids = tasks.slice(at, at + CANCEL).map(reference);
        const answer = await caller.call(`canceling ${ids.length} tasks`, options, (api, signal) =>
          api.tasks.cancelMany({ ids }, { signal }),
        );
        canceled += answer.canceled;
      }
      return canceled;
    },
    rows$({ set, pilot } = {}) {
      const filter = {
        ...(set === undefined ? {} : { set: reference(set) }),
        ...(pilot === undefined ? {} : { pilot: reference(pilot) }),
      };
      return observe(
        (callback) => onAbort(core.closed, () => callback(core.closed.reason)),
        (signal) => readRows(core, filter, signal),
      );
    },
  };
}

function entryOf({ json }: EncodedArguments): TaskEntry {
  return { args: { json } };
}

function describe({ name, resume, pilot, template, expected, signal, timeout }: SetOptions): {
  readonly description: TaskSetDescription;
  readonly limits: CallOptions;
} {
  const shared = toEntry({ ...template, ...(pilot === undefined ? {} : { pilot }) });
  const description = {
    template: shared,
    ...(name === undefined ? {} : { name }),
    ...(resume === undefined ? {} : { resume }),
    ...(expected === undefined ? {} : { expected }),
  };
  return { description, limits: { signal, timeout } };
}
