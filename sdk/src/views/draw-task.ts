import type { TaskRecord, TaskSetRecord } from '../schemas/index.js';
import { bar, figures, frame, type Html, heading, line, NOTHING, output } from './html.js';
import {
  countsSentence,
  etaSentence,
  progressBar,
  progressOf,
  rateSentence,
  taskUsageFigures,
  whatItDoes,
} from './task-words.js';
import { contactSentence, errorSentence, exitSentence, formatTime, stateMark, whySentence } from './words.js';

/** A view in the two forms that need no connection. */
export interface Drawn {
  readonly html: Html;
  readonly text: readonly (string | null)[];
}

export function drawTask(record: TaskRecord): Drawn {
  const mark = stateMark('task', record.state);
  const details = known([
    exitSentence(record),
    record.attempt > 1 ? `attempt ${record.attempt}` : null,
    record.resumedFrom === null ? null : 'taken over from an earlier set',
    contactSentence(record.contact),
  ]);
  const what = whatItDoes(record);
  const why = whySentence(record);
  const stderr = record.state === 'FAILED' ? (record.exception?.traceback ?? record.stderrTail) : null;
  const usage = record.usage === null ? null : taskUsageFigures(record.usage);
  return {
    html: frame(
      heading(mark, record.name, details),
      line(why),
      line(what),
      stderr ? output(stderr) : NOTHING,
      usage ? figures('Usage', usage) : NOTHING,
    ),
    text: [
      [mark.shape, [record.name, mark.word, ...details].join(' · ')].join(' '),
      why,
      what,
      stderr,
      usage ? usage.map(({ label, text }) => `${label} ${text}`).join(' · ') : null,
    ],
  };
}

/** Failures first, then bar, counts, rate and how long it will take. */
export function drawSet(record: TaskSetRecord): Drawn {
  const mark = stateMark('set', record.state);
  const live = record.endedAt === null;
  const details = known([
    record.summary,
    record.open && live ? 'more may come' : null,
    contactSentence(record.contact),
  ]);
  const progress = progressOf(record);
  const counts = countsSentence(record);
  const pace = live ? known([rateSentence(record.rate), etaSentence(record.eta)]) : [];
  const failures = record.failures.map(({ name, error }) => `✕ ${name}: ${errorSentence(error)}`);
  const more = record.counts.failed - record.failures.length;
  if (more > 0 && failures.length > 0) failures.push(`… and ${more} more failed`);
  const why = live || record.failures.length === 0 ? whySentence(record) : null;
  const ended = record.endedAt ? `ended ${formatTime(record.endedAt)}` : null;
  return {
    html: frame(
      heading(mark, record.name, details),
      line(why),
      ...failures.map(line),
      bar(progress.fraction, record.counts.failed > 0 ? 'bad' : mark.tone, counts),
      line([counts, ...pace].join(' · ')),
      line(ended),
    ),
    text: [
      [mark.shape, [record.name, mark.word, ...details].join(' · ')].join(' '),
      why,
      ...failures,
      [progressBar(progress), [counts, ...pace].join(' · ')].join(' '),
      ended,
    ],
  };
}

function known(parts: readonly (string | null)[]): string[] {
  return parts.filter((part): part is string => part !== null && part !== '');
}
