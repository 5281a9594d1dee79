import { useId } from 'react';
import { LinkButton } from '../components/small.js';
import { useApp } from '../hooks/context.js';
import { DATATYPES, type TensorDraft } from './drafts.js';
import type { FormProps } from './form-parts.js';

/** The tensors of an inference request: name, datatype, shape and values of each. */
export function TensorForm({ drafts, onChange }: FormProps): JSX.Element {
  const { trans } = useApp();
  const id = useId();
  const { inputs, stream } = drafts.infer;
  const set = (next: readonly TensorDraft[]): void => onChange({ infer: { inputs: next, stream } });
  const patch = (at: number, change: Partial<TensorDraft>): void => {
    set(inputs.map((one, index) => (index === at ? { ...one, ...change } : one)));
  };
  return (
    <>
      {inputs.map((tensor, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a tensor is its place; its name may be half typed
        <fieldset key={index} className="ph-Tensor">
          <legend>{trans.__('Input %1', index + 1)}</legend>
          <label htmlFor={`${id}-${index}-name`}>{trans.__('Name')}</label>
          <input
            id={`${id}-${index}-name`}
            className="jp-mod-styled"
            value={tensor.name}
            onChange={(event) => patch(index, { name: event.target.value })}
          />
          <label htmlFor={`${id}-${index}-type`}>{trans.__('Datatype')}</label>
          <select
            id={`${id}-${index}-type`}
            className="jp-mod-styled"
            value={tensor.datatype}
            onChange={(event) => patch(index, { datatype: event.target.value })}
          >
            {DATATYPES.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          <label htmlFor={`${id}-${index}-shape`}>{trans.__('Shape')}</label>
          <input
            id={`${id}-${index}-shape`}
            className="jp-mod-styled"
            value={tensor.shape}
            onChange={(event) => patch(index, { shape: event.target.value })}
          />
          <label htmlFor={`${id}-${index}-data`}>{trans.__('Values')}</label>
          <textarea
            id={`${id}-${index}-data`}
            className="jp-mod-styled ph-mod-code"
            rows={2}
            spellCheck={false}
            value={tensor.data}
            onChange={(event) => patch(index, { data: event.target.value })}
          />
          {inputs.length === 1 ? null : (
            <LinkButton onClick={() => set(inputs.filter((_, at) => at !== index))}>
              {trans.__('Remove input %1', index + 1)}
            </LinkButton>
          )}
        </fieldset>
      ))}
      <div className="ph-RestLine">
        <LinkButton
          onClick={() =>
            set([...inputs, { name: `input-${inputs.length}`, datatype: 'FP32', shape: '1, 1', data: '0' }])
          }
        >
          {trans.__('Add an input')}
        </LinkButton>
        <label>
          <input
            type="checkbox"
            checked={stream}
            onChange={(event) => onChange({ infer: { inputs, stream: event.target.checked } })}
          />{' '}
          {trans.__('Take the answer in pieces')}
        </label>
      </div>
    </>
  );
}
