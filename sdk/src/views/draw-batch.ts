import type { BatchRecord } from '../schemas/index.js';
import { batchProgressOf, rowsSentence } from './batch-words.js';
import type { Drawn } from './draw-task.js';
import { bar, frame, heading, line } from './html.js';
import { progressBar, rateSentence } from './task-words.js';
import { contactSentence, formatTime, stateMark, whySentence } from './words.js';

/** Failures first, then bar, counts, rate and when it will be done; below it where the rows lie. */
export function drawBatch(record: BatchRecord): Drawn {
  const mark = stateMark('batch', record.state);
  const live = record.endedAt === null;
  const { progress } = record;
  const details = [record.service.name, contactSentence(record.contact)].filter((part) => part !== null);
  const rows = rowsSentence(record);
  const eta = progress.eta === null ? null : `done about ${formatTime(progress.eta)}`;
  const pace = live ? [rateSentence(progress.rate), eta].filter((part) => part !== null) : [];
  const failures = record.failures.map(({ key, code, message }) => `✕ ${key}: ${message} (${code})`);
  const more = progress.failed - failures.length;
  if (more > 0 && failures.length > 0) failures.push(`… and ${more} more failed`);
  const why = whySentence(record);
  const out = `rows in ${record.out}`;
  const ended = record.endedAt ? `ended ${formatTime(record.endedAt)}` : null;
  const how = batchProgressOf(record);
  return {
    html: frame(
      heading(mark, record.name, details),
      line(why),
      ...failures.map(line),
      bar(how.fraction, progress.failed > 0 ? 'bad' : mark.tone, rows),
      line([rows, ...pace].join(' · ')),
      line(out),
      line(ended),
    ),
    text: [
      [mark.shape, [record.name, mark.word, ...details].join(' · ')].join(' '),
      why,
      ...failures,
      [progressBar(how), [rows, ...pace].join(' · ')].join(' '),
      out,
      ended,
    ],
  };
}
