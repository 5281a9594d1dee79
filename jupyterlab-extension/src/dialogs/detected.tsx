import type { AttachDescription, Detection, ServiceApi } from '@pilothouse/sdk/internal';
import { Shape } from '../components/state-badge.js';
import { type Problem, problemLine } from '../format/problem.js';
import { useFetched } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { useSettled } from '../hooks/settled.js';

/** How long nothing must be typed before the address is looked at: a look goes out to another machine. */
const TYPING_MS = 400;

/** What a look at an address has come to so far. */
export interface Look {
  /** Nothing to look at yet; under way; done. */
  readonly state: 'none' | 'looking' | 'done';
  readonly found: Detection | null;
  readonly problem: Problem | null;
}

/** Looks at the address of a description while it is typed; null: there is no address yet. */
export function useDetection(description: AttachDescription | null): Look {
  const { session } = useApp();
  const now = JSON.stringify(
    description === null ? null : [description.url, description.credential, description.api, description.serverKey],
  );
  const key = useSettled(now, TYPING_MS);
  const { value, problem } = useFetched(async (signal) => {
    if (description === null) return { key, found: null };
    const { model: _model, name: _name, ...asked } = description;
    // A look asks nothing that would need the consent: it only says whether it will be needed.
    return { key, found: await session.services.detect({ ...asked, allowUnauthenticated: true }, { signal }) };
  }, key);
  if (description === null) return { state: 'none', found: null, problem: null };
  if (problem !== null && key === now) return { state: 'done', found: null, problem };
  const known = value !== null && value.key === now ? value.found : null;
  return known === null
    ? { state: 'looking', found: null, problem: null }
    : { state: 'done', found: known, problem: null };
}

/** Says what answers there, with which models, whether it asks for a key, and what to do where it cannot be attached. */
export function Detected(props: {
  readonly look: Look;
  /** What to do here, where the form has a better way than the one found in general. */
  readonly remedy: string | null;
}): JSX.Element {
  const { trans } = useApp();
  const { state, found, problem } = props.look;
  return (
    <div className="ph-Detected" role="status" aria-label={trans.__('What was found')}>
      {state === 'looking' ? <p className="ph-Field-hint">{trans.__('Looking what answers there …')}</p> : null}
      {problem === null ? null : (
        <p>
          <Shape tone="bad" /> {problemLine(problem)}
        </p>
      )}
      {found === null ? null : <Found found={{ ...found, remedy: props.remedy ?? found.remedy }} />}
    </div>
  );
}

function Found({ found }: { readonly found: Detection }): JSX.Element {
  const { trans } = useApp();
  const { api, models, asksForKey, remedy, evidence, base } = found;
  const names: Readonly<Record<ServiceApi, string>> = {
    openai: trans.__('the OpenAI API'),
    ollama: trans.__('Ollama'),
    'open-inference': trans.__('the Open Inference Protocol'),
    zeromq: trans.__('a Pilothouse service (ZeroMQ)'),
    'ru-zmq': trans.__('a RADICAL-Pilot service (ru.zmq)'),
    rest: trans.__('a plain HTTP server'),
    any: trans.__('something'),
  };
  const key =
    asksForKey === null
      ? null
      : asksForKey
        ? trans.__('asks for a key')
        : trans.__('asks for no key: everybody who reaches it can use it');
  return (
    <>
      <p>
        <Shape tone={api === null || remedy !== null ? (api === null ? 'bad' : 'waiting') : 'good'} />{' '}
        {api === null ? trans.__('Nothing that Pilothouse knows answers there.') : trans.__('Found: %1', names[api])}
        {key === null || api === null ? null : ` · ${key}`}
      </p>
      {models.length === 0 ? null : (
        <p>
          {trans._n('%1 model', '%1 models', models.length)}: {models.slice(0, 5).join(', ')}
          {models.length > 5 ? ` ${trans.__('and %1 more', models.length - 5)}` : null}
        </p>
      )}
      {remedy === null ? null : <p className="ph-Problem-remedy">{remedy}</p>}
      {evidence.length === 0 ? null : (
        <details>
          <summary>{trans.__('What was asked')}</summary>
          <pre>{[base, ...evidence].join('\n')}</pre>
        </details>
      )}
    </>
  );
}
