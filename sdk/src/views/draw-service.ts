import type { ServiceRecord } from '../schemas/index.js';
import type { Drawn } from './draw-task.js';
import { figures, frame, heading, line, NOTHING } from './html.js';
import { bootstrapFigures, contactSentence, probeSentence, readySentence, stateMark, whySentence } from './words.js';

export function drawService(record: ServiceRecord): Drawn {
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
