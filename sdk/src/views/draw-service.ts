import type { ServiceRecord } from '../schemas/index.js';
import type { Drawn } from './draw-task.js';
import { figures, frame, heading, line, NOTHING } from './html.js';
import { instanceSentence, loadSentence, methodsSentence, scaleSentence } from './service-words.js';
import { bootstrapFigures, contactSentence, readySentence, stateMark, whySentence } from './words.js';

export function drawService(record: ServiceRecord): Drawn {
  const mark = stateMark('service', record.state);
  const details = known([
    record.origin === 'attached' ? `attached ${record.url ?? ''}`.trim() : null,
    record.model,
    readySentence(record),
    contactSentence(record.contact),
    record.openToNode ? 'open to users of this node' : null,
  ]);
  const instances = record.instances.map((instance) => ({
    text: instanceSentence(instance),
    bootstrap: instance.bootstrap,
    index: instance.index,
  }));
  const lines = [whySentence(record), scaleSentence(record), loadSentence(record), methodsSentence(record)];
  return {
    html: frame(
      heading(mark, record.name, details),
      ...lines.map(line),
      ...instances.flatMap(({ text, bootstrap, index }) => [
        line(text),
        bootstrap ? figures(`Start of instance ${index}`, bootstrapFigures(bootstrap)) : NOTHING,
      ]),
    ),
    text: [
      [mark.shape, [record.name, mark.word, ...details].join(' · ')].join(' '),
      ...lines,
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
