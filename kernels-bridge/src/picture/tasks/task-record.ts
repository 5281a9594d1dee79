import { isAbsolute, join } from 'node:path';
import {
  type Contact,
  mergeEntry,
  type OutputRange,
  type PilotRecord,
  type Reason,
  type ResolvedTaskDescription,
  type ResolvedTaskEntry,
  type SpooledTask,
  type TaskOutcome,
  type TaskRecord,
  type TaskRow,
  type TaskUsage,
  taskDescriptionSchema,
} from '@pilothouse/sdk/internal';
import { FLAG, placeOf } from './columns.js';
import { isFinalNumber, STATE_NUMBERS, stateOf, timeColumn } from './facts.js';
import { iso } from './task-set-state.js';
import type { TaskTable } from './task-table.js';

/** What every description starts from; entries are kept without. */
const { command: _, ...DEFAULTS } = taskDescriptionSchema.parse({ command: ['true'] });

/** A task as its text has it. */
export interface KeptTask {
  readonly name: string;
  readonly entry: ResolvedTaskEntry;
  readonly services?: string[];
  readonly after?: { task: string; when: 'done' | 'finished' | 'failed' }[];
  readonly attempts?: number;
}

/** Where records find the pilots that tasks are bound to. */
export type PilotLookup = (id: string) => PilotRecord | undefined;

/** A task as its text, which lacks the id and begins with the name. */
export function taskText({ id: _id, name, ...rest }: SpooledTask): string {
  return `"name":${JSON.stringify(name)},${JSON.stringify(rest).slice(1)}`;
}

/** The submitted form of a task. */
export function keptTask(table: TaskTable, slot: number): KeptTask {
  return JSON.parse(`{${table.text(slot)}`);
}

/** What a task asks for, as submitted: its set's template with its own fields on top. */
export function askedFor(table: TaskTable, slot: number): ResolvedTaskEntry {
  const { entry } = keptTask(table, slot);
  const group = table.groups.get(table.chunk(slot).group[placeOf(slot)] ?? 0);
  return group === undefined ? entry : mergeEntry(group.template, entry);
}

/** The same with every default filled in. */
export function withDefaults(entry: ResolvedTaskEntry): ResolvedTaskDescription {
  return Object.assign({}, DEFAULTS, entry);
}

/** The fields of a description that are not as they would be anyway. */
export function withoutDefaults(description: ResolvedTaskDescription): ResolvedTaskEntry {
  const defaults: Readonly<Record<string, unknown>> = DEFAULTS;
  const fields = Object.entries(description).filter(
    ([field, value]) => value !== undefined && !(field in defaults && isSame(value, defaults[field])),
  );
  return Object.fromEntries(fields);
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  return Object.keys(a).length === 0 && Object.keys(b).length === 0 && Array.isArray(a) === Array.isArray(b);
}

/** Absolute folder that a task starts in. */
export function folderOf(cwd: string, wanted: string | undefined, home: string): string {
  if (wanted === undefined) return cwd;
  const expanded = wanted === '~' || wanted.startsWith('~/') ? join(home, wanted.slice(1)) : wanted;
  return isAbsolute(expanded) ? expanded : join(cwd, expanded);
}

/** A task as a record, made from its columns. */
export function taskRecord(table: TaskTable, slot: number, pilots: PilotLookup): TaskRecord {
  const chunk = table.chunk(slot);
  const place = placeOf(slot);
  const state = table.state(slot);
  const final = isFinalNumber(table.stateNumber(slot));
  const extra = table.extra(slot);
  const created = iso(chunk.created[place] ?? 0);
  const since = iso(sinceOf(table, slot));
  const pilot = table.pilotOf(slot);
  const bound = pilot === null ? undefined : pilots(pilot);
  const group = table.groups.get(chunk.group[place] ?? 0);
  const { name, entry } = keptTask(table, slot);
  const asked = group === undefined ? entry : mergeEntry(group.template, entry);
  const known: Contact = bound?.contact ?? { lost: false, since: created };
  return {
    kind: 'task',
    id: table.idOf(slot),
    name,
    seq: chunk.seq[place] ?? 0,
    since,
    reason: final ? null : reasonOf(table, slot, bound, since),
    contact: final ? { lost: false, since } : known,
    error: extra.error ?? null,
    times: timesOf(table, slot, created),
    owner: group?.owner ?? '',
    createdAt: created,
    endedAt: final ? since : null,
    state,
    description: withDefaults(asked),
    pilot,
    set: table.setOf(slot)?.id ?? null,
    retryOf: extra.retryOf ?? null,
    resumedFrom: extra.resumedFrom ?? null,
    cwd: folderOf(group?.cwd ?? '/', asked.cwd, group?.env.HOME ?? '/'),
    attempt: chunk.attempt[place] ?? 1,
    exitCode: table.has(slot, FLAG.exitCode) ? (chunk.exitCode[place] ?? null) : null,
    signal: table.signals.get(chunk.signal[place] ?? 0) ?? null,
    stderrTail: extra.stderrTail ?? null,
    output: outputOf(table, slot),
    usage: usageOf(table, slot),
    placement: table.placements.get(chunk.placed[place] ?? 0) ?? null,
    staging: extra.staging ?? null,
    value: extra.value ?? null,
    exception: extra.exception ?? null,
  };
}

/** A task as a row of a table. */
export function taskRow(table: TaskTable, slot: number, pilots: PilotLookup): TaskRow {
  const chunk = table.chunk(slot);
  const place = placeOf(slot);
  const number = table.stateNumber(slot);
  const final = isFinalNumber(number);
  const pilot = table.pilotOf(slot);
  const since = sinceOf(table, slot);
  const reason = final
    ? table.extra(slot).error?.message
    : reasonOf(table, slot, pilot === null ? undefined : pilots(pilot), '')?.text;
  const { name, cores, gpus } = shownOf(table, slot);
  const running = chunk.times[place * 7 + timeColumn(STATE_NUMBERS.RUNNING)] ?? 0;
  return [
    table.idOf(slot),
    name,
    table.setOf(slot)?.id ?? null,
    stateOf(number),
    reason ?? null,
    since,
    pilot,
    chunk.attempt[place] ?? 1,
    cores,
    gpus,
    chunk.created[place] ?? 0,
    running === 0 ? null : running,
    final ? since : null,
    table.has(slot, FLAG.exitCode) ? (chunk.exitCode[place] ?? null) : null,
  ];
}

/** What one task of a set came to. */
export function taskOutcome(table: TaskTable, slot: number, index: number): TaskOutcome {
  const chunk = table.chunk(slot);
  const place = placeOf(slot);
  const extra = table.extra(slot);
  return {
    index,
    id: table.idOf(slot),
    name: table.nameOf(slot),
    number: chunk.number[place] ?? 0,
    state: table.state(slot),
    attempt: chunk.attempt[place] ?? 1,
    exitCode: table.has(slot, FLAG.exitCode) ? (chunk.exitCode[place] ?? null) : null,
    error: extra.error ?? null,
    stderrTail: extra.stderrTail ?? null,
    value: extra.value ?? null,
    exception: extra.exception ?? null,
    usage: usageOf(table, slot),
  };
}

/** When a task entered its state, in milliseconds since 1970. */
export function sinceOf(table: TaskTable, slot: number): number {
  const chunk = table.chunk(slot);
  const place = placeOf(slot);
  const number = table.stateNumber(slot);
  return number === 0 ? (chunk.created[place] ?? 0) : (chunk.times[place * 7 + timeColumn(number)] ?? 0);
}

export function outputOf(table: TaskTable, slot: number): OutputRange | null {
  if (!table.has(slot, FLAG.output)) return null;
  const chunk = table.chunk(slot);
  const place = placeOf(slot);
  const [at = 0, length = 0, errorAt = 0, errorLength = 0] = chunk.output.subarray(place * 4, place * 4 + 4);
  return {
    file: table.files.get(chunk.file[place] ?? 0) ?? '',
    stdout: { offset: at, length },
    stderr: { offset: errorAt, length: errorLength },
  };
}

export function usageOf(table: TaskTable, slot: number): TaskUsage | null {
  if (!table.has(slot, FLAG.usage)) return null;
  const place = placeOf(slot);
  const { usage } = table.chunk(slot);
  const [wall = 0, cpu = 0, maxRss = 0, read = 0, written = 0, util = NaN, peak = NaN] = usage.subarray(
    place * 7,
    place * 7 + 7,
  );
  const measured = (value: number): number | null => (Number.isNaN(value) ? null : value);
  return { wall, cpu, maxRss, read, written, gpuUtil: measured(util), gpuMemoryPeak: measured(peak) };
}

function timesOf(table: TaskTable, slot: number, created: string): Record<string, string> {
  const { times } = table.chunk(slot);
  const number = table.stateNumber(slot);
  const place = placeOf(slot);
  const result: Record<string, string> = { NEW: created };
  for (let column = 0; column < 7; column += 1) {
    const at = times[place * 7 + column] ?? 0;
    // The last column is that of whichever final state it is in.
    if (at !== 0) result[column === 6 ? stateOf(number) : stateOf(column + 1)] = iso(at);
  }
  return result;
}

/** Why a task is not further: its agent's word, else what is plain to see. */
export function reasonOf(table: TaskTable, slot: number, pilot: PilotRecord | undefined, since: string): Reason | null {
  if (table.has(slot, FLAG.canceling)) return { code: 'CANCELING', text: 'asked to cancel', since };
  const told = table.extra(slot).reason;
  if (told) return told;
  if (pilot === undefined) {
    const offer = table.offerOf(slot);
    const text = offer === undefined ? 'no pilot; start one' : `waits for room on one of ${offer.pilots.length} pilots`;
    return { code: 'WAITS_FOR_PILOT', text, since };
  }
  if (table.stateNumber(slot) > STATE_NUMBERS.WAITING || pilot.state === 'ACTIVE') return null;
  return { code: 'WAITS_FOR_PILOT', text: `waits for pilot "${pilot.name}" to start`, since };
}

/** Name and resources, without parsing more than needed: most tasks have their template's. */
function shownOf(table: TaskTable, slot: number): { name: string; cores: number; gpus: number } {
  const text = table.text(slot);
  const group = table.groups.get(table.chunk(slot).group[placeOf(slot)] ?? 0);
  const own: ResolvedTaskEntry = /"(?:cores|gpus)":/.test(text) ? JSON.parse(`{${text}`).entry : {};
  const name = text.slice(8, text.indexOf('"', 8));
  return { name, cores: own.cores ?? group?.template.cores ?? 1, gpus: own.gpus ?? group?.template.gpus ?? 0 };
}
