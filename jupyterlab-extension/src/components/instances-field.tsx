import type { ServiceDescription } from '@pilothouse/sdk/internal';
import { useId } from 'react';
import { useApp } from '../hooks/context.js';

/** How many instances are wanted, as a form holds it. */
export interface InstancesValue {
  readonly mode: 'fixed' | 'between';
  readonly count: number;
  readonly min: number;
  readonly max: number;
}

export const ONE_INSTANCE: InstancesValue = { mode: 'fixed', count: 1, min: 1, max: 4 };

/** What is wrong with it; null: nothing. */
export function instancesIssue({ mode, count, min, max }: InstancesValue): 'count' | 'max' | 'order' | null {
  const whole = (value: number, least: number): boolean => Number.isInteger(value) && value >= least && value <= 1024;
  if (mode === 'fixed') return whole(count, 1) ? null : 'count';
  if (!whole(max, 1) || !whole(min, 0)) return 'max';
  return min <= max ? null : 'order';
}

/** The same as part of a description; undefined where it is what one gets anyway. */
export function describeInstances(value: InstancesValue): ServiceDescription['instances'] {
  if (value.mode === 'between') return { min: value.min, max: value.max };
  return value.count === 1 ? undefined : value.count;
}

/** Asks for a fixed number of instances, or for limits between which what there is to do decides. */
export function InstancesField(props: {
  readonly value: InstancesValue;
  readonly onChange: (value: InstancesValue) => void;
}): JSX.Element {
  const { trans } = useApp();
  const { value, onChange } = props;
  const id = useId();
  const issue = instancesIssue(value);
  const words = {
    count: trans.__('Give a whole number from 1 to 1024.'),
    max: trans.__('Give whole numbers: at least from 0, at most from 1 to 1024.'),
    order: trans.__('At least must not be more than at most.'),
  };
  const number = (key: 'count' | 'min' | 'max', label: string, least: number): JSX.Element => (
    <label>
      {label}{' '}
      <input
        className="jp-mod-styled"
        type="number"
        min={least}
        max={1024}
        value={Number.isNaN(value[key]) ? '' : value[key]}
        aria-invalid={issue !== null}
        onChange={(event) => onChange({ ...value, [key]: event.target.valueAsNumber })}
      />
    </label>
  );
  const choice = (mode: InstancesValue['mode'], label: string): JSX.Element => (
    <label>
      <input type="radio" name={id} checked={value.mode === mode} onChange={() => onChange({ ...value, mode })} />{' '}
      {label}
    </label>
  );
  return (
    <fieldset className={issue === null ? 'ph-InstancesField' : 'ph-InstancesField ph-mod-invalid'}>
      <legend>{trans.__('Instances')}</legend>
      <div className="ph-InstancesField-line">
        {choice('fixed', trans.__('always the same number'))}
        {choice('between', trans.__('by what there is to do'))}
      </div>
      <div className="ph-InstancesField-line">
        {value.mode === 'fixed' ? (
          number('count', trans.__('Number of instances'), 1)
        ) : (
          <>
            {number('min', trans.__('At least'), 0)}
            {number('max', trans.__('At most'), 1)}
          </>
        )}
      </div>
      {issue === null ? (
        <p className="ph-Field-hint">
          {value.mode === 'fixed'
            ? trans.__('Running copies, each with the resources asked for.')
            : value.min === 0
              ? trans.__('With at least 0 it holds nothing while nobody asks; the first request wakes it.')
              : trans.__('One more is started where requests wait, and one is drained where there is little to do.')}
        </p>
      ) : (
        <p className="ph-Field-error" role="alert">
          {words[issue]}
        </p>
      )}
    </fieldset>
  );
}
