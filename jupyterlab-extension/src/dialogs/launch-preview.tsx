import type { ServiceDescription } from '@pilothouse/sdk/internal';
import { ProblemNote } from '../components/problem-note.js';
import { Shape } from '../components/state-badge.js';
import { commandLine } from '../format/argv.js';
import { useFetched } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { useSettled } from '../hooks/settled.js';
import { ShowCode } from './show-code.js';

/** Says what would be run and what a look beforehand has found, and shows it as code. */
export function LaunchPreview(props: { readonly what: string; readonly description: ServiceDescription }): JSX.Element {
  const { session, trans } = useApp();
  const { what, description } = props;
  const key = useSettled(JSON.stringify([what, description]));
  const { value, problem } = useFetched((signal) => session.services.preview(what, description, { signal }), key);
  const own = description.command !== undefined;
  return (
    <>
      {value === null || problem !== null ? null : (
        <>
          <p className="ph-Sentence">{value.sentence}</p>
          {value.findings.length === 0 ? null : (
            <ul className="ph-Findings" aria-label={trans.__('Looked at beforehand')}>
              {value.findings.map(({ ok, text, remedy }) => (
                <li key={text}>
                  <Shape tone={ok ? 'good' : 'bad'} />
                  <span>
                    <span className="ph-offscreen">{ok ? trans.__('fits:') : trans.__('does not fit:')} </span>
                    {remedy === null ? null : <b>{remedy} </b>}
                    {text}
                  </span>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
      {problem === null ? null : <ProblemNote problem={problem} />}
      <ShowCode
        subject={{
          kind: 'new-service',
          template: own ? null : what,
          description: own ? { ...description, name: what } : description,
        }}
        {...(value === null ? {} : { script: { title: trans.__('Command'), text: commandLine(value.command) } })}
      />
    </>
  );
}
