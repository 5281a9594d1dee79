import { type RecordKind, stateMark, type Tone } from '@pilothouse/sdk/internal';

/** One shape for each tone, the same everywhere, so that no state is told by colour alone. */
const SHAPES: Readonly<Record<Tone, JSX.Element>> = {
  good: <circle cx="6" cy="6" r="5" className="ph-fill" />,
  waiting: <circle cx="6" cy="6" r="4.2" className="ph-line" strokeDasharray="2.6 1.8" />,
  busy: (
    <>
      <circle cx="6" cy="6" r="4.3" className="ph-line" />
      <path d="M6 1.7a4.3 4.3 0 0 1 0 8.6z" className="ph-fill" />
    </>
  ),
  bad: <path d="M2 2l8 8M10 2l-8 8" className="ph-line" />,
  over: <rect x="2.2" y="2.2" width="7.6" height="7.6" rx="1" className="ph-line" />,
};

/** A shape alone; always beside a word, so it says nothing to a screen reader. */
export function Shape({ tone }: { readonly tone: Tone }): JSX.Element {
  return (
    <svg className={`ph-Shape ph-mod-${tone}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {SHAPES[tone]}
    </svg>
  );
}

interface StateProps {
  readonly kind: RecordKind | 'instance';
  readonly state: string;
}

/** The shape of a state. */
export function StateShape({ kind, state }: StateProps): JSX.Element {
  return <Shape tone={stateMark(kind, state).tone} />;
}

/** A state by shape, colour and word. */
export function StateBadge({ kind, state }: StateProps): JSX.Element {
  const { tone, word } = stateMark(kind, state);
  return (
    <span className={`ph-State ph-mod-${tone}`}>
      <Shape tone={tone} />
      <span className="ph-State-word">{word}</span>
    </span>
  );
}
