import { basename } from 'node:path';
import { mergeEntry, PilothouseError, type ResolvedTaskEntry } from '@pilothouse/sdk/internal';
import type { Context } from '../../context.js';
import { taskText } from '../../picture/tasks/task-record.js';
import type { LiveSet } from '../../picture/tasks/task-set-state.js';
import { findRef } from '../refs.js';
import type { Placement, Target } from './placement.js';
import type { Draft } from './task-writer.js';

/** Makes drafts of what users submitted together: finds what they refer to, and refuses what could never run. */
export class Drafter {
  readonly #choose: ReturnType<Placement['chooser']>;
  readonly #services = new Map<string, string>();
  /** Ids of tasks by name, of those drafted and, of a set, all before. */
  readonly #names = new Map<string, string>();
  #setKnown = false;
  readonly #plain: boolean;
  /** Where tasks go that say nothing about it themselves. */
  #target: Target | undefined;

  /**
   * @param template - what every entry starts from
   * @param set - that they become part of
   */
  constructor(
    private readonly context: Context,
    private readonly placement: Placement,
    private readonly template: ResolvedTaskEntry,
    private readonly set?: LiveSet,
  ) {
    this.#choose = placement.chooser();
    this.#plain = template.services === undefined && template.after === undefined;
  }

  /**
   * @param at - path of the entry in what was sent, with a dot at its end
   * @throws PilothouseError for what does not fit, or refers to something that is not there
   */
  draft(id: string, name: string, entry: ResolvedTaskEntry, at: string): Draft {
    const command = entry.command ?? this.template.command;
    const call = entry.call ?? this.template.call;
    if ((command === undefined) === (call === undefined)) throw eitherOr(at);
    if (entry.args !== undefined && call === undefined) throw argsWithoutCall(at);
    // Most tasks of a set go where their template goes, and wait for nothing.
    if (this.#plain && !isPlaced(entry)) {
      this.#target ??= this.#choose(this.template, [], at);
      this.#know(id, name);
      const task = { id, name, entry };
      return { task, text: taskText(task), target: this.#target };
    }
    const asked = mergeEntry(this.template, entry);
    const services = asked.services?.map((ref) => this.#service(ref, at)) ?? [];
    const after = asked.after?.map((one) => {
      const { task, when } = typeof one === 'string' ? { task: one, when: 'done' as const } : one;
      return { task: this.#task(task, id, at), when };
    });
    this.#know(id, name);
    const task = {
      id,
      name,
      entry,
      ...(services.length === 0 ? {} : { services }),
      ...(after === undefined || after.length === 0 ? {} : { after }),
    };
    const target = this.#choose(asked, services, at);
    return { task, text: taskText(task), target };
  }

  #know(id: string, name: string): void {
    this.#names.set(name, id);
    this.#names.set(id, id);
  }

  #service(ref: string, at: string): string {
    let id = this.#services.get(ref);
    if (id === undefined) {
      id = this.placement.service(ref, at);
      this.#services.set(ref, id);
    }
    return id;
  }

  /** A task that another waits for: of the same set first, and always one that was there before. */
  #task(ref: string, self: string, at: string): string {
    const { picture, names } = this.context;
    const own = this.#names.get(ref) ?? this.#ofSet(ref);
    if (own !== undefined) return own;
    if (picture.tasks.find(ref) !== undefined) return ref;
    try {
      // Its own name is taken already, and it would wait for itself.
      const named = names.find('task', ref);
      return named === undefined || named === self ? findRef(picture, names, 'task', ref).id : named;
    } catch (cause) {
      throw new PilothouseError('TASK_NOT_FOUND', `there is no task "${ref}" before this one`, {
        hint: 'Name a task that was submitted earlier, or stands earlier in the same list.',
        field: `${at}after`,
        cause,
      });
    }
  }

  #ofSet(name: string): string | undefined {
    if (!this.#setKnown && this.set !== undefined) {
      this.#setKnown = true;
      const { tasks } = this.context.picture;
      for (const slot of this.set.slots) {
        const other = tasks.nameOf(slot);
        if (!this.#names.has(other)) this.#names.set(other, tasks.idOf(slot));
      }
    }
    return this.#names.get(name);
  }
}

/** Fields by which a task goes elsewhere than its template, or later. */
const PLACING: readonly (keyof ResolvedTaskEntry)[] = [
  'pilot',
  'cores',
  'gpus',
  'memory',
  'nodes',
  'ranks',
  'services',
  'after',
];

function isPlaced(entry: ResolvedTaskEntry): boolean {
  return PLACING.some((field) => entry[field] !== undefined);
}

function eitherOr(at: string): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', 'give either a command or a function to call', {
    hint: 'Say what is to run with "command", or what is to be called with "call".',
    field: `${at}command`,
  });
}

function argsWithoutCall(at: string): PilothouseError {
  return new PilothouseError('INVALID_DESCRIPTION', 'there are arguments, and no function to give them to', {
    hint: 'Say in the template of the set what is to be called.',
    field: `${at}args`,
  });
}

/** What a task is called whose user gave it no name. */
export function nameFor({ name, command, call }: ResolvedTaskEntry): string {
  if (name !== undefined) return name;
  if (command !== undefined) return basename(command[0] ?? 'task');
  if (call === undefined) return 'task';
  const { function: called } = call;
  if ('python' in called) return called.python.slice(called.python.indexOf(':') + 1);
  return 'pickled' in called ? called.name : called.export;
}
