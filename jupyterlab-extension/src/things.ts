import type { TranslationBundle } from '@jupyterlab/translation';
import type { Picture } from '@pilothouse/sdk';
import { isFinal } from './format/state.js';
import { CommandIDs } from './tokens.js';

/** What rows, menus and commands are about. */
export type ThingKind = 'pilot' | 'service' | 'task' | 'set' | 'batch';

/** The commands of each kind of thing. */
export const THINGS: Readonly<
  Record<
    ThingKind,
    {
      readonly open: string;
      readonly openArgs: (id: string) => { readonly id: string } | { readonly set: string };
      readonly end: string;
    }
  >
> = {
  pilot: { open: CommandIDs.openPilot, openArgs: (id) => ({ id }), end: CommandIDs.endPilot },
  service: { open: CommandIDs.openService, openArgs: (id) => ({ id }), end: CommandIDs.stopService },
  task: { open: CommandIDs.openTask, openArgs: (id) => ({ id }), end: CommandIDs.cancelTask },
  set: { open: CommandIDs.openTasks, openArgs: (set) => ({ set }), end: CommandIDs.cancelSet },
  batch: { open: CommandIDs.openBatch, openArgs: (id) => ({ id }), end: CommandIDs.cancelBatch },
};

/** Whether a text names a kind of thing. */
export function isThingKind(value: unknown): value is ThingKind {
  return typeof value === 'string' && Object.hasOwn(THINGS, value);
}

/** One thing, as lists and menus name it. */
export interface Thing {
  readonly kind: ThingKind;
  readonly id: string;
  readonly name: string;
  readonly state: string;
}

/** All things of one kind in the picture. */
export function thingsOf(picture: Picture, kind: ThingKind): readonly Thing[] {
  switch (kind) {
    case 'pilot':
      return picture.pilots;
    case 'service':
      return picture.services;
    case 'task':
      return picture.tasks;
    case 'set':
      return picture.sets;
    case 'batch':
      return picture.batches;
  }
}

/** Those of them that go on. */
export function liveThings(picture: Picture, kind: ThingKind): readonly Thing[] {
  return thingsOf(picture, kind).filter(({ state }) => !isFinal(kind, state));
}

/** What to ask when one of them has to be picked, and what to say when there is none. */
export function pickWords(
  kind: ThingKind,
  trans: TranslationBundle,
): { readonly title: string; readonly none: string } {
  switch (kind) {
    case 'pilot':
      return { title: trans.__('Which pilot?'), none: trans.__('No pilot is live: make one first.') };
    case 'service':
      return { title: trans.__('Which service?'), none: trans.__('No service is live: start one first.') };
    case 'task':
      return { title: trans.__('Which task?'), none: trans.__('No task goes on: run one first.') };
    case 'set':
      return { title: trans.__('Which task set?'), none: trans.__('No task set goes on: submit one first.') };
    case 'batch':
      return { title: trans.__('Which batch?'), none: trans.__('No batch goes on: start one with `llm.map` first.') };
  }
}
