import { type AnswerRecord, sentence } from '@pilothouse/sdk/internal';
import { useState } from 'react';
import { fromData, problemLine } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { useCall } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { AnswerValue } from './answer-value.js';
import { MarkdownText } from './markdown-text.js';
import { ProblemNote } from './problem-note.js';
import { LinkButton, LiveRegion } from './small.js';
import { StateBadge } from './state-badge.js';
import { TimingLine } from './timing-line.js';

/** An answer: who answers, the text as it grows, where the time went, and what can be done about it. */
export function AnswerView(props: {
  readonly record: AnswerRecord;
  readonly text: string;
  /** Pieces so far of an answer that is not text, the last ones. */
  readonly pieces?: readonly unknown[];
  /** Offers to ask again also what went well. */
  readonly again?: boolean;
  /** Absent where only reading is allowed. */
  readonly onStop?: () => Promise<void>;
  readonly onRetry?: () => void | Promise<void>;
}): JSX.Element {
  const { trans } = useApp();
  const { record, text } = props;
  const final = isFinal('answer', record.state);
  const isText = record.request.op === 'chat' || record.request.op === 'complete';
  const stop = useCall(async () => props.onStop?.());
  const retry = useCall(async () => props.onRetry?.());
  const [stopping, setStopping] = useState(false);
  const who = [
    record.service.name,
    ...(record.instance === null ? [] : [trans.__('instance %1', record.instance.index)]),
  ].join(' · ');
  return (
    <section className="ph-Answer" aria-label={trans.__('Answer of %1', record.service.name)} aria-busy={!final}>
      <header className="ph-Answer-head">
        <span className="ph-Answer-who">{who}</span>
        {final && record.state === 'DONE' ? null : <StateBadge kind="answer" state={record.state} />}
        <span className="ph-Answer-tools">
          {final || props.onStop === undefined ? null : (
            <button
              type="button"
              className="ph-Stop jp-mod-styled"
              disabled={stopping}
              onClick={() => {
                setStopping(true);
                void stop.run().then((done) => {
                  if (!done) setStopping(false);
                });
              }}
            >
              <span aria-hidden="true">■</span> {stopping ? trans.__('Stopping …') : trans.__('Stop')}
            </button>
          )}
        </span>
      </header>
      {isText ? (
        <AnswerText text={text} streaming={!final} waiting={text === '' && !final ? waits(record) : null} />
      ) : (
        <AnswerValue record={record} text={text} pieces={props.pieces ?? []} waiting={waits(record)} />
      )}
      {record.attempts.length === 0 ? null : <Attempts attempts={record.attempts} />}
      <LiveRegion text={trans.__('The answer of %1 is %2', record.service.name, record.state)} />
      {stop.problem === null ? null : <ProblemNote problem={stop.problem} />}
      {final ? (
        <footer className="ph-Answer-foot">
          {record.state === 'CANCELED' ? (
            <p>{isText ? trans.__('Stopped; this is the text so far.') : trans.__('Stopped.')}</p>
          ) : null}
          {record.state === 'FAILED' && record.error !== null ? <ProblemNote problem={fromData(record.error)} /> : null}
          {(record.state === 'DONE' && props.again !== true) || props.onRetry === undefined ? null : (
            <button
              type="button"
              className="ph-Button jp-mod-styled jp-mod-accept"
              disabled={retry.busy}
              onClick={() => void retry.run()}
            >
              {retry.busy
                ? trans.__('Asking again …')
                : record.state === 'DONE'
                  ? trans.__('Ask again')
                  : trans.__('Retry')}
            </button>
          )}
          {retry.problem === null ? null : <ProblemNote problem={retry.problem} />}
          <TimingLine answer={record} />
        </footer>
      ) : null}
    </section>
  );
}

/** Who was asked in vain before, and what went wrong there. */
function Attempts({ attempts }: { readonly attempts: AnswerRecord['attempts'] }): JSX.Element {
  const { trans } = useApp();
  return (
    <ul className="ph-Attempts" aria-label={trans.__('Asked in vain before')}>
      {attempts.map(({ instance, error }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: attempts are only ever added at the end
        <li key={index}>{trans.__('instance %1: %2', instance, problemLine(fromData(error)))}</li>
      ))}
    </ul>
  );
}

/** The text as Markdown, or as it came on request. */
function AnswerText(props: {
  readonly text: string;
  readonly streaming: boolean;
  readonly waiting: string | null;
}): JSX.Element {
  const { preferences, rendermime, trans } = useApp();
  const { renderMarkdown } = useLive(preferences.value$, preferences.value);
  const [chosen, setChosen] = useState<boolean | null>(null);
  const plain = rendermime === null || !(chosen ?? renderMarkdown);
  if (props.waiting !== null) return <p className="ph-Answer-waiting">{props.waiting}</p>;
  return (
    <div className="ph-Answer-body">
      {plain ? (
        <pre className={props.streaming ? 'ph-Answer-plain ph-mod-streaming' : 'ph-Answer-plain'}>{props.text}</pre>
      ) : (
        <MarkdownText rendermime={rendermime} text={props.text} streaming={props.streaming} />
      )}
      {props.text === '' || rendermime === null ? null : (
        <span className="ph-Answer-mode">
          <LinkButton onClick={() => setChosen(plain)}>
            {plain ? trans.__('formatted') : trans.__('plain text')}
          </LinkButton>
        </span>
      )}
    </div>
  );
}

function waits(record: AnswerRecord): string {
  return record.reason === null ? '…' : sentence(record.reason.text);
}
