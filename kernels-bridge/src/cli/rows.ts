import {
  type BatchRecord,
  type Contact,
  formatSeconds,
  type PilotRecord,
  type ServiceRecord,
  shortId,
  stateWords,
  type TaskRecord,
  type TaskSetRecord,
  whySentence,
} from '@pilothouse/sdk/internal';
import { wantedInstances } from '../picture/service-state.js';
import { summaryOf } from '../picture/tasks/task-set-state.js';
import { ago, table } from './table.js';

/** Pilots as a table for people. */
export function pilotTable(pilots: readonly PilotRecord[]): string {
  if (pilots.length === 0) return 'No pilots. A pilot holds cores and GPUs for your tasks and services.';
  return table(
    ['NAME', 'ID', 'STATE', 'SINCE', 'CORES', 'GPUS', 'RUNNING', 'LEFT', 'WHY'],
    pilots.map((pilot) => [
      pilot.name,
      shortId(pilot.id),
      stateText(pilot.state, pilot.contact),
      ago(pilot.since),
      `${pilot.usage.cores}/${pilot.resources.cores}`,
      `${pilot.usage.gpus}/${pilot.resources.gpus}`,
      String(pilot.usage.running),
      timeLeft(pilot),
      whySentence(pilot) ?? '',
    ]),
  );
}

/** Tasks as a table for people. */
export function taskTable(tasks: readonly TaskRecord[]): string {
  if (tasks.length === 0) return 'No tasks.';
  return table(
    ['NAME', 'ID', 'STATE', 'SINCE', 'EXIT', 'COMMAND', 'WHY'],
    tasks.map((task) => [
      task.name,
      shortId(task.id),
      stateText(task.state, task.contact),
      ago(task.since),
      task.signal ?? (task.exitCode === null ? '' : String(task.exitCode)),
      shorten(summaryOf(task.description), 40),
      whySentence(task) ?? '',
    ]),
  );
}

/** Task sets as a table for people. */
export function setTable(sets: readonly TaskSetRecord[]): string {
  if (sets.length === 0) return 'No task sets.';
  return table(
    ['NAME', 'ID', 'STATE', 'SINCE', 'DONE', 'FAILED', 'RUNNING', 'WAITING', 'LEFT', 'WHAT'],
    sets.map(({ name, id, state, contact, since, counts, eta, summary }) => [
      name,
      shortId(id),
      stateText(state, contact),
      ago(since),
      `${counts.done}/${counts.total}`,
      String(counts.failed),
      String(counts.running),
      String(counts.waiting),
      eta === null ? '' : formatSeconds(eta),
      shorten(summary, 40),
    ]),
  );
}

/** Services as a table for people. */
export function serviceTable(services: readonly ServiceRecord[]): string {
  if (services.length === 0) return 'No services.';
  return table(
    ['NAME', 'ID', 'STATE', 'SINCE', 'READY', 'UNDER WAY', 'WAITING', 'PER S', 'MEDIAN', 'WHY'],
    services.map((service) => [
      service.name,
      shortId(service.id),
      stateText(service.state, service.contact),
      ago(service.since),
      `${service.instances.filter(({ state }) => state === 'READY').length}/${wantedInstances(service)}`,
      String(service.load.outstanding),
      String(service.load.queued),
      service.load.perSecond.toFixed(1),
      service.load.p50 === null ? '' : `${Math.round(service.load.p50)} ms`,
      whySentence(service) ?? '',
    ]),
  );
}

/** Batches as a table for people. */
export function batchTable(batches: readonly BatchRecord[]): string {
  if (batches.length === 0) return 'No batches. service.map(...) starts one from a notebook or a script.';
  return table(
    ['NAME', 'ID', 'STATE', 'SINCE', 'SERVICE', 'DONE', 'FAILED', 'ROWS/S', 'LEFT', 'WHY'],
    batches.map((batch) => {
      const { total, done, failed, rate, eta } = batch.progress;
      return [
        batch.name,
        shortId(batch.id),
        stateText(batch.state, batch.contact),
        ago(batch.since),
        batch.service.name,
        `${done}/${total ?? '?'}`,
        String(failed),
        rate === null ? '' : rate.toFixed(1),
        eta === null ? '' : formatSeconds((Date.parse(eta) - Date.now()) / 1000),
        whySentence(batch) ?? '',
      ];
    }),
  );
}

function stateText(state: string, contact: Contact): string {
  const word = stateWords[state] ?? state;
  return contact.lost ? `${word}, unreachable for ${ago(contact.since)}` : word;
}

function timeLeft({ endsAt, endedAt }: PilotRecord): string {
  return endsAt === null || endedAt !== null ? '' : formatSeconds((Date.parse(endsAt) - Date.now()) / 1000);
}

function shorten(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
