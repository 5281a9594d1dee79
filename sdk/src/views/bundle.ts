import {
  type AnswerRecord,
  type AnyRecord,
  type PilotRecord,
  type ServiceRecord,
  VIEW_MIME,
  type ViewBundle,
} from '../schemas/index.js';
import { type Drawn, drawSet, drawTask } from './draw-task.js';
import { figures, frame, heading, line, NOTHING, prose } from './html.js';
import {
  answeredBy,
  bootstrapFigures,
  contactSentence,
  engineWord,
  formatTime,
  probeSentence,
  readySentence,
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
  }
}

function drawAnswer(record: AnswerRecord): Drawn {
  const mark = stateMark('answer', record.state);
  const who = answeredBy(record);
  const details = known([contactSentence(record.contact)]);
  const why = whySentence(record);
  const text = record.text ?? '';
  const { timing, usage } = record;
  return {
    html: frame(
      heading(mark, who, details),
      line(why),
      text === '' ? NOTHING : prose(text),
      timing ? figures('Timing', timingFigures(timing, usage)) : NOTHING,
    ),
    text: [
      [mark.shape, [who, mark.word, ...details].join(' · ')].join(' '),
      why,
      text,
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

function drawService(record: ServiceRecord): Drawn {
  const mark = stateMark('service', record.state);
  const details = known([
    record.origin === 'attached' ? `attached ${record.url ?? ''}`.trim() : null,
    record.model,
    readySentence(record),
    contactSentence(record.contact),
    record.openToNode ? 'open to users of this node' : null,
  ]);
  const instances = record.instances.map((instance) => {
    const state = stateMark('instance', instance.state);
    const text = known([`instance ${instance.index}`, state.word, probeSentence(instance), whySentence(instance)]).join(
      ' · ',
    );
    return { text: `${state.shape} ${text}`, bootstrap: instance.bootstrap, index: instance.index };
  });
  const why = whySentence(record);
  return {
    html: frame(
      heading(mark, record.name, details),
      line(why),
      ...instances.flatMap(({ text, bootstrap, index }) => [
        line(text),
        bootstrap ? figures(`Start of instance ${index}`, bootstrapFigures(bootstrap)) : NOTHING,
      ]),
    ),
    text: [
      [mark.shape, [record.name, mark.word, ...details].join(' · ')].join(' '),
      why,
      ...instances.flatMap(({ text, bootstrap }) => [
        text,
        bootstrap
          ? bootstrapFigures(bootstrap)
              .map((figure) => `${figure.label} ${figure.text}`)
              .join(' · ')
          : null,
      ]),
    ],
  };
}

function known(parts: readonly (string | null)[]): string[] {
  return parts.filter((part): part is string => part !== null && part !== '');
}
