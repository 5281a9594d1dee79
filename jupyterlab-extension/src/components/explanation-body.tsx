import type { TranslationBundle } from '@jupyterlab/translation';
import { exactTime, lasting } from '../format/time.js';

/** What the "why?" dialog says: the reason, for how long, and what it was read from. */
export function ExplanationBody(props: {
  readonly text: string;
  readonly evidence: readonly string[];
  /** ISO 8601: since when it has been so. */
  readonly since: string;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { text, evidence, since, trans } = props;
  const more = newEvidence(evidence, text);
  return (
    <div className="ph-Why">
      <p>{text}</p>
      {more.length === 0 ? null : (
        <>
          <h4>{trans.__('What was seen')}</h4>
          <ul className="ph-Evidence">
            {more.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </>
      )}
      <p className="ph-Why-since" title={exactTime(since)}>
        {trans.__('So for %1, since %2.', lasting(since, Date.now()), exactTime(since))}
      </p>
    </div>
  );
}

/** Lines that add something to what has been said. */
export function newEvidence(evidence: readonly string[], said: string): string[] {
  const known = said.toLowerCase();
  return [...new Set(evidence)].filter((line) => {
    const text = line.trim().replace(/[.\s]+$/, '');
    return text !== '' && !known.includes(text.toLowerCase());
  });
}
