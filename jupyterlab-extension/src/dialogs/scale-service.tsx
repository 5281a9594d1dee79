import type { Service } from '@pilothouse/sdk';
import type { ServiceRecord } from '@pilothouse/sdk/internal';
import type { ReactNode } from 'react';
import { BehaviorSubject } from 'rxjs';
import { InstancesField, type InstancesValue, instancesIssue } from '../components/instances-field.js';
import { ProblemNote } from '../components/problem-note.js';
import { ReactPanel } from '../components/react-panel.js';
import { type Problem, problemOf } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import type { IPilothouse } from '../tokens.js';
import { type FormBody, FormDialog } from './form-dialog.js';

interface Model {
  readonly value: InstancesValue;
  readonly problem: Problem | null;
}

/** Asks how many instances a service should have; resolves when the dialog is closed. */
export async function scaleDialog(app: IPilothouse, service: Service): Promise<void> {
  const dialog = new FormDialog(app.trans.__('Scale %1', service.name), new ScaleForm(app, service), {
    accept: app.trans.__('Scale'),
    cancel: app.trans.__('Cancel'),
  });
  await dialog.launch();
}

class ScaleForm extends ReactPanel implements FormBody {
  private readonly model: BehaviorSubject<Model>;

  constructor(
    app: IPilothouse,
    private readonly service: Service,
  ) {
    super(app);
    this.model = new BehaviorSubject<Model>({ value: presentNumber(service.record), problem: null });
  }

  async submit(): Promise<boolean> {
    const { value } = this.model.value;
    if (instancesIssue(value) !== null) return false;
    try {
      await this.service.scale(value.mode === 'fixed' ? value.count : { min: value.min, max: value.max });
      return true;
    } catch (error) {
      this.model.next({ value, problem: problemOf(error) });
      return false;
    }
  }

  protected content(): ReactNode {
    return <ScaleContent service={this.service} model={this.model} />;
  }
}

function ScaleContent(props: { readonly service: Service; readonly model: BehaviorSubject<Model> }): JSX.Element {
  const { trans } = useApp();
  const { service, model } = props;
  const { value, problem } = useLive(model, model.value);
  const record = useLive(service.record$, service.record);
  const live = liveInstances(record);
  const most = value.mode === 'fixed' ? value.count : value.max;
  return (
    <>
      <p>{trans._n('It has %1 instance now.', 'It has %1 instances now.', live)}</p>
      <InstancesField value={value} onChange={(next) => model.next({ value: next, problem: null })} />
      {most < live ? (
        <p className="ph-Field-hint">
          {trans._n(
            '%1 instance answers what it has, and then stops.',
            '%1 instances answer what they have, and then stop.',
            live - most,
          )}
        </p>
      ) : null}
      {problem === null ? null : <ProblemNote problem={problem} />}
    </>
  );
}

function presentNumber(record: ServiceRecord): InstancesValue {
  const live = Math.max(1, liveInstances(record));
  const { scale } = record;
  return scale === null
    ? { mode: 'fixed', count: live, min: 1, max: Math.max(2, live) }
    : { mode: 'between', count: Math.max(1, scale.wanted), min: scale.min, max: scale.max };
}

function liveInstances({ instances }: ServiceRecord): number {
  return instances.filter(({ state }) => !isFinal('instance', state)).length;
}
