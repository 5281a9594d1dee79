import type { RequestOp, ServiceRecord } from '@pilothouse/sdk/internal';
import { type KeyboardEvent, useEffect, useId, useState } from 'react';
import { AnswerView } from '../components/answer-view.js';
import { ProblemNote } from '../components/problem-note.js';
import { EmptyState, TextButton } from '../components/small.js';
import { useAnswer, usePieces } from '../hooks/answer.js';
import { useCall } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { type AnyAnswer, ask as askService } from '../session/ask.js';
import { CommandIDs } from '../tokens.js';
import { FIRST_OPTIONS, firstDrafts, methodDraft, OPS, optionsOf, requestOf } from './drafts.js';
import { OptionsForm } from './options-form.js';
import { RequestForm } from './request-form.js';

/** Boxes to ask the service something, as its API takes it, with the answer as it streams. */
export function TryIt(props: {
  readonly service: ServiceRecord;
  /** Told of each answer, so that it can be found again. */
  readonly onAsked?: (answer: AnyAnswer) => void;
}): JSX.Element {
  const { commands, session, trans } = useApp();
  const { service } = props;
  const ops = OPS[service.api];
  const [op, setOp] = useState<RequestOp>(ops[0] ?? 'rest');
  const [drafts, setDrafts] = useState(() => firstDrafts(service.methods));
  const [options, setOptions] = useState(FIRST_OPTIONS);
  const [asked, setAsked] = useState<{ readonly answer: AnyAnswer; readonly turn: number } | null>(null);
  const [issue, setIssue] = useState<string | null>(null);
  useEffect(() => () => asked?.answer.close(), [asked]);
  // A service says what it can do once it runs, which may be after the page was opened.
  useEffect(() => {
    const [first] = service.methods ?? [];
    if (first !== undefined) setDrafts((old) => (old.call.method === '' ? { ...old, call: methodDraft(first) } : old));
  }, [service.methods]);
  const show = (answer: AnyAnswer): void => {
    props.onAsked?.(answer);
    setAsked((last) => ({ answer, turn: (last?.turn ?? 0) + 1 }));
  };
  const made = requestOf(op, drafts, trans);
  const taken = optionsOf(op, options);
  const ask = useCall(async () => {
    const wrong =
      'issue' in made ? made.issue : 'wrong' in taken ? trans.__('An option has a value that it cannot have.') : null;
    setIssue(wrong);
    if (!('request' in made) || !('options' in taken)) return;
    const handle = await session.services.get(service.id);
    show(askService(handle, made.request, taken.options));
    handle.close();
  });
  const insert = (): void => {
    const args = { kind: 'service', id: service.id };
    if (!('request' in made) || !('options' in taken)) {
      setIssue('issue' in made ? made.issue : null);
      return;
    }
    const what = JSON.parse(JSON.stringify({ request: made.request, options: taken.options }));
    void commands.execute(CommandIDs.insert, { ...args, ask: what });
  };
  if (ops.length === 0) {
    return (
      <EmptyState text={trans.__('Pilothouse starts and watches this service; its own programs know how to ask it.')} />
    );
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void ask.run();
  };
  return (
    <fieldset className="ph-TryIt" onKeyDown={onKeyDown} aria-label={trans.__('Ask %1', service.name)}>
      {ops.length === 1 ? null : <OpTabs ops={ops} op={op} onChange={setOp} />}
      <RequestForm
        op={op}
        drafts={drafts}
        methods={service.methods}
        onChange={(change) => {
          setIssue(null);
          setDrafts({ ...drafts, ...change });
        }}
      />
      <OptionsForm
        op={op}
        value={options}
        wrong={'wrong' in taken ? taken.wrong : []}
        instances={service.instances}
        onChange={setOptions}
      />
      <div className="ph-Buttons">
        <TextButton accent disabled={ask.busy} title={trans.__('Ctrl+Enter')} onClick={() => void ask.run()}>
          {op === 'chat' || op === 'complete' ? trans.__('Ask') : trans.__('Send')}
        </TextButton>
        <TextButton onClick={insert}>{trans.__('Insert into notebook')}</TextButton>
      </div>
      {issue === null ? null : (
        <p className="ph-Field-error" role="alert">
          {issue}
        </p>
      )}
      {ask.problem === null ? null : <ProblemNote problem={ask.problem} />}
      {asked === null ? null : (
        // A view of its own for each answer: nothing of the last one, such as "Stopping …", may stay on the next.
        <Asked key={asked.turn} answer={asked.answer} onRetry={show} />
      )}
    </fieldset>
  );
}

/** Which kind of request; arrow keys move between them, as between tabs everywhere. */
function OpTabs(props: {
  readonly ops: readonly RequestOp[];
  readonly op: RequestOp;
  readonly onChange: (op: RequestOp) => void;
}): JSX.Element {
  const { trans } = useApp();
  const id = useId();
  const { ops, op, onChange } = props;
  const words: Readonly<Record<RequestOp, string>> = {
    chat: trans.__('Chat'),
    complete: trans.__('Completion'),
    embed: trans.__('Embedding'),
    infer: trans.__('Inference'),
    call: trans.__('Call'),
    rest: trans.__('Request'),
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = ops[(ops.indexOf(op) + step + ops.length) % ops.length];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    onChange(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-ph-op="${next}"]`)?.focus();
  };
  return (
    <div className="ph-OpTabs" role="tablist" aria-label={trans.__('What to ask for')} onKeyDown={onKeyDown}>
      {ops.map((one) => (
        <button
          key={one}
          id={`${id}-${one}`}
          type="button"
          role="tab"
          data-ph-op={one}
          aria-selected={one === op}
          tabIndex={one === op ? 0 : -1}
          className={one === op ? 'ph-mod-selected' : ''}
          onClick={() => onChange(one)}
        >
          {words[one]}
        </button>
      ))}
    </div>
  );
}

/** An answer that streams, with its pieces where it is not text. */
export function Asked(props: {
  readonly answer: AnyAnswer;
  readonly onRetry: (answer: AnyAnswer) => void;
  /** Offers to ask again also what went well. */
  readonly again?: boolean;
}): JSX.Element {
  const { answer } = props;
  const { record, text } = useAnswer(answer);
  const pieces = usePieces(answer);
  return (
    <AnswerView
      record={record}
      text={text}
      pieces={pieces}
      again={props.again ?? false}
      onStop={() => answer.stop()}
      onRetry={() => props.onRetry(answer.retry())}
    />
  );
}
