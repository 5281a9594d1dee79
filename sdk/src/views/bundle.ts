import { type AnswerRecord, type AnyRecord, type PilotRecord, VIEW_MIME, type ViewBundle } from '../schemas/index.js';
import { drawBatch } from './draw-batch.js';
import { drawService } from './draw-service.js';
import { type Drawn, drawSet, drawTask } from './draw-task.js';
import { figures, frame, heading, line, NOTHING, output, prose } from './html.js';
import { attemptLines, valueSentence } from './service-words.js';
import {
  answeredBy,
  contactSentence,
  engineWord,
  formatTime,
  resourcesSentence,
  stateMark,
  timingFigures,
  timingLine,
  usageSentence,
  whySentence,
} from './words.js';

/**
 * Draws the last known state of a thing as one cell output: the live view's payload, static HTML, and text. Pure: the
 * same record gives the same bytes, whoever draws it.
 */
export function renderBundle(record: AnyRecord, viewId: string): ViewBundle {
  const { html, text } = draw(record);
  return {
    [VIEW_MIME]: { v: 1, viewId, kind: record.kind, target: record.id, snapshot: record },
    'text/html': html.html,
    'text/plain': text.filter((part) => part !== null && part !== '').join('\n'),
  };
}

function draw(record: AnyRecord): Drawn {
  switch (record.kind) {
    case 'answer':
      return drawAnswer(record);
    case 'pilot':
      return drawPilot(record);
    case 'service':
      return drawService(record);
    case 'task':
      return drawTask(record);
    case 'set':
      return drawSet(record);
    case 'batch':
      return drawBatch(record);
  }
}

function drawAnswer(record: AnswerRecord): Drawn {
  const mark = stateMark('answer', record.state);
  const who = answeredBy(record);
  const details = known([contactSentence(record.contact)]);
  const why = whySentence(record);
  const text = record.text ?? '';
  const value = valueSentence(record);
  const attempts = attemptLines(record);
  const { timing, usage } = record;
  return {
    html: frame(
      heading(mark, who, details),
      line(why),
      ...attempts.map(line),
      text === '' ? NOTHING : prose(text),
      value === null ? NOTHING : output(value),
      timing ? figures('Timing', timingFigures(timing, usage)) : NOTHING,
    ),
    text: [
      [mark.shape, [who, mark.word, ...details].join(' · ')].join(' '),
      why,
      ...attempts,
      text,
      value,
      timing ? timingLine(timing, usage) : null,
    ],
  };
}

function drawPilot(record: PilotRecord): Drawn {
  const mark = stateMark('pilot', record.state);
  const details = known([engineWord(record.engine), resourcesSentence(record), contactSentence(record.contact)]);
  const live = record.endedAt === null;
  const lines = [
    whySentence(record),
    record.startedAt ? usageSentence(record) : null,
    live && record.endsAt ? `ends ${formatTime(record.endsAt)}` : null,
    record.endedAt ? `ended ${formatTime(record.endedAt)}` : null,
  ];
  return {
    html: frame(heading(mark, record.name, details), ...lines.map(line)),
    text: [[mark.shape, [record.name, mark.word, ...details].join(' · ')].join(' '), ...lines],
  };
}

function known(parts: readonly (string | null)[]): string[] {
  return parts.filter((part): part is string => part !== null && part !== '');
}
