import { useState } from 'react';
import { CopyButton } from '../components/small.js';
import { type Language, type Subject, snippet } from '../format/snippets.js';
import { useApp } from '../hooks/context.js';

/** The same thing as code: always in sight, so that a form teaches the SDK. */
export function ShowCode(props: {
  readonly subject: Subject;
  /** What would be run to start it, where that is known. */
  readonly script?: { readonly title: string; readonly text: string };
}): JSX.Element {
  const { notebook, trans } = useApp();
  const [tab, setTab] = useState<Language | 'script'>(notebook.language === null ? 'python' : notebook.language);
  const tabs: readonly { readonly id: Language | 'script'; readonly title: string }[] = [
    { id: 'python', title: 'Python' },
    { id: 'tslab', title: 'TypeScript' },
    ...(props.script === undefined ? [] : [{ id: 'script' as const, title: props.script.title }]),
  ];
  const shown = tab === 'deno' ? 'tslab' : tab;
  const text = shown === 'script' ? (props.script?.text ?? '') : snippet(props.subject, shown);
  return (
    <div className="ph-Code">
      <div className="ph-Code-tabs" role="tablist" aria-label={trans.__('Show as code')}>
        {tabs.map(({ id, title }) => (
          <button
            key={id}
            type="button"
            role="tab"
            aria-selected={shown === id}
            className={shown === id ? 'ph-mod-selected' : ''}
            onClick={() => setTab(id)}
          >
            {title}
          </button>
        ))}
        <CopyButton text={text} name={trans.__('Copy the code')} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a text that scrolls must be reachable by keyboard */}
      <pre role="tabpanel" tabIndex={0}>
        {text}
      </pre>
    </div>
  );
}
