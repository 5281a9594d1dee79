import type { Answer } from '@pilothouse/sdk';
import type { ServiceRecord } from '@pilothouse/sdk/internal';
import { useEffect, useId, useState } from 'react';
import { AnswerView } from '../components/answer-view.js';
import { TextButton } from '../components/small.js';
import { useAnswer } from '../hooks/answer.js';
import { useApp } from '../hooks/context.js';
import { CommandIDs } from '../tokens.js';

/** A box to ask the service something, with the answer as it streams. */
export function TryIt({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { commands, session, trans } = useApp();
  const [prompt, setPrompt] = useState('What does ionizing radiation do to DNA?');
  const [asked, setAsked] = useState<{ readonly answer: Answer; readonly turn: number } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const id = useId();
  useEffect(() => () => asked?.answer.close(), [asked]);
  const show = (answer: Answer): void => setAsked((last) => ({ answer, turn: (last?.turn ?? 0) + 1 }));
  const ask = async (): Promise<void> => {
    setProblem(null);
    try {
      const handle = await session.services.get(service.id);
      show(handle.chat(prompt, { maxTokens: 256 }));
      handle.close();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div className="ph-TryIt">
      <label htmlFor={id}>{trans.__('Prompt')}</label>
      <textarea
        id={id}
        className="jp-mod-styled"
        rows={3}
        value={prompt}
        onChange={(event) => setPrompt(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            void ask();
          }
        }}
      />
      <div className="ph-Buttons">
        <TextButton accent disabled={prompt.trim() === ''} title={trans.__('Ctrl+Enter')} onClick={() => void ask()}>
          {trans.__('Ask')}
        </TextButton>
        <TextButton
          onClick={() => void commands.execute(CommandIDs.insert, { kind: 'service', id: service.id, prompt })}
        >
          {trans.__('Insert into notebook')}
        </TextButton>
      </div>
      {problem === null ? null : <p role="alert">{problem}</p>}
      {asked === null ? null : (
        // A view of its own for each answer: nothing of the last one, such as "Stopping …", may stay on the next.
        <Asked key={asked.turn} answer={asked.answer} onRetry={show} />
      )}
    </div>
  );
}

function Asked(props: { readonly answer: Answer; readonly onRetry: (answer: Answer) => void }): JSX.Element {
  const { answer } = props;
  const { record, text } = useAnswer(answer);
  return (
    <AnswerView
      record={record}
      text={text}
      onStop={() => answer.stop()}
      onRetry={() => props.onRetry(answer.retry())}
    />
  );
}
