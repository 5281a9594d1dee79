import type { InstanceRecord, RequestOp } from '@pilothouse/sdk/internal';
import { useId } from 'react';
import { useApp } from '../hooks/context.js';
import { OPTIONS, type OptionName, type OptionsDraft, takesOption } from './drafts.js';

/** Sampling and limits of the next request; closed until somebody wants them. */
export function OptionsForm(props: {
  readonly op: RequestOp;
  readonly value: OptionsDraft;
  readonly wrong: readonly string[];
  readonly instances: readonly InstanceRecord[];
  readonly onChange: (value: OptionsDraft) => void;
}): JSX.Element {
  const { trans } = useApp();
  const { op, value, wrong, instances, onChange } = props;
  const id = useId();
  const words: Readonly<Record<OptionName, { readonly label: string; readonly hint: string }>> = {
    maxTokens: { label: trans.__('Max tokens'), hint: trans.__('length of the answer at most') },
    temperature: { label: trans.__('Temperature'), hint: trans.__('0 to 2; empty: as the server has it') },
    topP: { label: trans.__('Top p'), hint: trans.__('more than 0, at most 1') },
    seed: { label: trans.__('Seed'), hint: trans.__('the same seed, the same answer') },
    stop: { label: trans.__('Stop at'), hint: trans.__('a text that ends the answer') },
    timeout: { label: trans.__('Time limit'), hint: trans.__('30s, 10m …') },
    instance: { label: trans.__('Instance'), hint: trans.__('ask this one, not the least busy') },
    priority: { label: trans.__('Priority'), hint: trans.__('-100 to 100; higher goes first') },
    session: { label: trans.__('Session'), hint: trans.__('one name, one instance, with session affinity') },
  };
  const ready = instances.filter(({ state }) => state === 'READY');
  return (
    <details className="ph-Options">
      <summary>{trans.__('Options')}</summary>
      <div className="ph-Options-grid">
        {OPTIONS.filter((name) => takesOption(op, name)).map((name) => (
          <div key={name} className={wrong.includes(name) ? 'ph-Option ph-mod-invalid' : 'ph-Option'}>
            <label htmlFor={`${id}-${name}`}>{words[name].label}</label>
            {name === 'instance' ? (
              <select
                id={`${id}-${name}`}
                className="jp-mod-styled"
                value={value.instance}
                onChange={(event) => onChange({ ...value, instance: event.target.value })}
              >
                <option value="">{trans.__('whichever is free')}</option>
                {ready.map(({ index }) => (
                  <option key={index} value={index}>
                    {trans.__('instance %1', index)}
                  </option>
                ))}
              </select>
            ) : (
              <input
                id={`${id}-${name}`}
                className="jp-mod-styled"
                value={value[name]}
                aria-invalid={wrong.includes(name)}
                aria-describedby={`${id}-${name}-hint`}
                onChange={(event) => onChange({ ...value, [name]: event.target.value })}
              />
            )}
            <span id={`${id}-${name}-hint`} className={wrong.includes(name) ? 'ph-Field-error' : 'ph-Field-hint'}>
              {words[name].hint}
            </span>
          </div>
        ))}
      </div>
    </details>
  );
}
