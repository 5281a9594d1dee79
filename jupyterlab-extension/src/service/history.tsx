import { type AnswerRecord, formatMilliseconds, requestStates, type ServiceRecord } from '@pilothouse/sdk/internal';
import { useEffect, useState } from 'react';
import { ProblemNote } from '../components/problem-note.js';
import { EmptyState, LinkButton, Since } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { asked } from '../format/request.js';
import { stateWord } from '../format/state.js';
import { useFetched } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { useSettled } from '../hooks/settled.js';
import type { AnyAnswer } from '../session/ask.js';
import { Asked } from '../try-it/try-it.js';

/** Requests shown at first, and more each time. */
const PAGE = 20;

/** What has been asked of a service, newest first: search, open, ask again. */
export function History({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { session, trans } = useApp();
  const [text, setText] = useState('');
  const [state, setState] = useState<AnswerRecord['state'] | ''>('');
  const [limit, setLimit] = useState(PAGE);
  const typed = useSettled(text.trim());
  // New requests and ended ones are in the picture: they say when to look again.
  const picture = useLive(session.picture$, session.picture);
  const mine = picture.answers.filter((answer) => answer.service.id === service.id);
  const sign = useSettled(mine.map(({ id, state: now }) => `${id}${now}`).join());
  const { value, problem } = useFetched(async (signal) => {
    const found = await session.answers.search({
      text: typed,
      service: service.id,
      ...(state === '' ? {} : { state }),
      limit,
      signal,
    });
    for (const answer of found.answers) answer.close();
    return { records: found.answers.map(({ record }) => record), total: found.total };
  }, `${service.id} ${typed} ${state} ${limit} ${sign}`);
  const filtered = typed !== '' || state !== '';
  return (
    <>
      <div className="ph-History-choice">
        <input
          className="jp-mod-styled"
          type="search"
          placeholder={trans.__('Search questions and answers')}
          aria-label={trans.__('Search questions and answers')}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setLimit(PAGE);
          }}
        />
        <label>
          {trans.__('State')}{' '}
          <select
            className="jp-mod-styled"
            value={state}
            onChange={(event) => setState(requestStates.states.find((one) => one === event.target.value) ?? '')}
          >
            <option value="">{trans.__('any')}</option>
            {requestStates.states.map((one) => (
              <option key={one} value={one}>
                {stateWord(one)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {problem === null ? null : <ProblemNote problem={problem} />}
      {value === null ? null : value.records.length === 0 ? (
        <EmptyState
          text={
            filtered
              ? trans.__('No kept request holds that.')
              : trans.__('Nothing has been asked yet. Requests and their answers are kept here for a while.')
          }
        />
      ) : (
        <>
          <ul className="ph-History" aria-label={trans.__('Requests to %1', service.name)}>
            {value.records.map((record) => (
              <Entry key={record.id} record={record} />
            ))}
          </ul>
          <p className="ph-Field-hint" role="status">
            {trans.__('%1 of %2', value.records.length, value.total)}{' '}
            {value.records.length < value.total ? (
              <LinkButton onClick={() => setLimit(Math.min(200, limit + PAGE))}>{trans.__('Show more')}</LinkButton>
            ) : null}
          </p>
        </>
      )}
    </>
  );
}

/** One request, with its answer once it is opened. */
function Entry({ record }: { readonly record: AnswerRecord }): JSX.Element {
  const { trans } = useApp();
  const [open, setOpen] = useState(false);
  const question = asked(record.request);
  return (
    <li>
      <button
        type="button"
        className="ph-History-entry"
        aria-expanded={open}
        title={question}
        onClick={() => setOpen(!open)}
      >
        <span className={open ? 'ph-Caret ph-mod-open' : 'ph-Caret'} aria-hidden="true" />
        <StateBadge kind="answer" state={record.state} />
        <span className="ph-History-question">{question}</span>
        <span className="ph-History-facts">
          {record.instance === null ? null : <span>{trans.__('instance %1', record.instance.index)}</span>}
          {record.timing === null ? null : <span>{formatMilliseconds(record.timing.total)}</span>}
          <Since time={record.createdAt} ago />
        </span>
      </button>
      {open ? <Opened id={record.id} /> : null}
    </li>
  );
}

function Opened({ id }: { readonly id: string }): JSX.Element | null {
  const { session } = useApp();
  const { value, problem } = useFetched<AnyAnswer>((signal) => session.answers.get(id, { signal }), id);
  const [again, setAgain] = useState<AnyAnswer | null>(null);
  useEffect(() => () => value?.close(), [value]);
  useEffect(() => () => again?.close(), [again]);
  if (problem !== null) return <ProblemNote problem={problem} />;
  const shown = again ?? value;
  return shown === null ? null : <Asked key={shown === again ? 'again' : id} answer={shown} onRetry={setAgain} again />;
}
