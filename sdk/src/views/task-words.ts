import type { FunctionReference, TaskRecord, TaskSetRecord, TaskUsage } from '../schemas/index.js';
import { formatSeconds } from '../units/duration.js';
import { formatBytes } from '../units/size.js';
import type { Figure } from './words.js';

const BAR_LENGTH = 20;

/** What a task does: its command, or the function that it calls. */
export function whatItDoes({ description }: Pick<TaskRecord, 'description'>): string {
  if (description.call) return `${functionName(description.call.function)}(…)`;
  return description.command?.join(' ') ?? '';
}

/** A function as people name it: `scoring.score`, `tile`. */
export function functionName(reference: FunctionReference): string {
  if ('python' in reference) return reference.python.replace(':', '.');
  return 'export' in reference ? reference.export : reference.name;
}

/** How far a set is. */
export interface Progress {
  /** Tasks that are DONE, FAILED or CANCELED. */
  readonly ended: number;
  /** Tasks there are or, where that is known and more, will be. */
  readonly total: number;
  /** 0 to 1; 0 for a set without tasks. */
  readonly fraction: number;
}

/** How far a task set is. */
export function progressOf({ counts, expected }: Pick<TaskSetRecord, 'counts' | 'expected'>): Progress {
  const ended = counts.done + counts.failed + counts.canceled;
  const total = Math.max(counts.total, expected ?? 0);
  return { ended, total, fraction: total === 0 ? 0 : ended / total };
}

/** A bar of text: `▮▮▮▮▮▯▯▯▯▯`. It is full only when all have ended. */
export function progressBar({ fraction }: Progress, length = BAR_LENGTH): string {
  const full = Math.floor(fraction * length);
  return '▮'.repeat(full) + '▯'.repeat(length - full);
}

/** `812/1000 · 3 failed · 40 running · 145 waiting`: failures before the rest, what there is none of left out. */
export function countsSentence(record: Pick<TaskSetRecord, 'counts' | 'expected'>): string {
  const { ended, total } = progressOf(record);
  const { failed, canceled, running, waiting, resumed } = record.counts;
  const part = (amount: number, word: string) => (amount > 0 ? `${amount} ${word}` : null);
  return [
    `${ended}/${total}`,
    part(failed, 'failed'),
    part(canceled, 'canceled'),
    part(running, 'running'),
    part(waiting, 'waiting'),
    part(resumed, 'taken over'),
  ]
    .filter((text) => text !== null)
    .join(' · ');
}

/** `41/s`, `12/min`; null while it is too early to say. */
export function rateSentence(rate: number | null): string | null {
  if (rate === null) return null;
  if (rate >= 10) return `${Math.round(rate)}/s`;
  if (rate >= 1) return `${rate.toFixed(1)}/s`;
  const perMinute = rate * 60;
  return `${perMinute < 10 ? perMinute.toFixed(1) : Math.round(perMinute)}/min`;
}

/** `about 3 min left`; null while it is too early to say. */
export function etaSentence(eta: number | null): string | null {
  if (eta === null) return null;
  if (eta < 1) return 'nearly there';
  return `about ${formatSeconds(eta < 90 ? Math.round(eta) : Math.round(eta / 60) * 60)} left`;
}

/** What a task has used; what was not measured is left out. */
export function taskUsageFigures(usage: TaskUsage): Figure[] {
  const figures: Figure[] = [
    { label: 'time', text: seconds(usage.wall) },
    { label: 'CPU time', text: seconds(usage.cpu) },
    { label: 'memory', text: formatBytes(usage.maxRss) },
    { label: 'read', text: formatBytes(usage.read) },
    { label: 'written', text: formatBytes(usage.written) },
  ];
  if (usage.gpuUtil !== null) figures.push({ label: 'GPU', text: `${Math.round(usage.gpuUtil * 100)} %` });
  if (usage.gpuMemoryPeak !== null) figures.push({ label: 'GPU memory', text: formatBytes(usage.gpuMemoryPeak) });
  return figures;
}

function seconds(amount: number): string {
  return amount < 60 ? `${Number(amount.toPrecision(3))} s` : formatSeconds(Math.round(amount));
}
