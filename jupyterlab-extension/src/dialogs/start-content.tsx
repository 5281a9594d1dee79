import { routingPolicySchema, serviceApiSchema } from '@pilothouse/sdk/internal';
import { type ReactNode, useId, useRef } from 'react';
import type { BehaviorSubject } from 'rxjs';
import { InstancesField } from '../components/instances-field.js';
import { ProblemNote } from '../components/problem-note.js';
import { EmptyState, LinkButton } from '../components/small.js';
import { stateWord } from '../format/state.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { CommandIDs } from '../tokens.js';
import { pureSchema } from './json-schema.js';
import { LaunchPreview } from './launch-preview.js';
import { SchemaForm } from './schema-form.js';
import { type Asked, describeStart, OWN_COMMAND, type StartModel, takingPilots, withTemplate } from './start-model.js';
import type { StartState } from './start-service.js';
import { TemplateList } from './template-list.js';

interface Props {
  readonly state: BehaviorSubject<StartState>;
  readonly onChange: (model: StartModel) => void;
  /** Closes the dialog, to go on elsewhere. */
  readonly leave: () => void;
}

/** The fields of the form for a new service. */
export function StartContent({ state, onChange, leave }: Props): JSX.Element {
  const { session, commands, trans } = useApp();
  const { templates, model, sent, problem } = useLive(state, state.value);
  const picture = useLive(session.picture$, session.picture);
  // While a field is being typed, preview and code show the last description that was right.
  const right = useRef<Asked | null>(null);
  if (templates === null) {
    return problem === null ? (
      <EmptyState text={trans.__('Looking which services can be started here …')} />
    ) : (
      <ProblemNote problem={problem} />
    );
  }
  const pilots = takingPilots(picture.pilots);
  const chosen = templates.find((template) => template.name === model.template);
  const asked = describeStart(model, templates, pilots);
  if (typeof asked !== 'string') right.current = asked;
  else if (['template', 'command', 'pilot'].includes(asked)) right.current = null;
  const go = (command: string, args: { readonly next?: string } = {}): void => {
    leave();
    void commands.execute(command, { ...args });
  };
  return (
    <>
      <TemplateList
        templates={templates}
        chosen={model.template}
        onChoose={(template) => onChange(withTemplate(model, template))}
        onAttach={() => go(CommandIDs.attachService)}
      />
      {model.template === OWN_COMMAND ? <CommandFields model={model} onChange={onChange} /> : null}
      <PilotField
        model={model}
        onChange={onChange}
        onNew={() => go(CommandIDs.newPilot, { next: CommandIDs.startService })}
      />
      <Field label={trans.__('Name')} hint={chosen === undefined ? null : trans.__('Empty: the name of the template.')}>
        {(id) => (
          <input
            id={id}
            className="jp-mod-styled"
            placeholder={chosen?.name ?? ''}
            value={model.name}
            onChange={(event) => onChange({ ...model, name: event.target.value.trim() })}
          />
        )}
      </Field>
      {chosen !== undefined && Object.keys(chosen.params.properties ?? {}).length > 0 ? (
        <SchemaForm
          key={chosen.name}
          name={trans.__('Parameters')}
          schema={{ ...pureSchema(chosen.params), title: '' }}
          uiSchema={{}}
          unsent={!sent}
          value={model.params}
          onChange={(params) => onChange({ ...model, params })}
        />
      ) : null}
      <ResourceFields model={model} onChange={onChange} />
      <InstancesField value={model.instances} onChange={(instances) => onChange({ ...model, instances })} />
      <MoreFields model={model} onChange={onChange} />
      {problem === null ? null : <ProblemNote problem={problem} />}
      {right.current === null ? null : (
        <LaunchPreview what={right.current.what} description={right.current.description} />
      )}
    </>
  );
}

interface FieldsProps {
  readonly model: StartModel;
  readonly onChange: (model: StartModel) => void;
}

function Field(props: {
  readonly label: string;
  readonly hint?: string | null;
  readonly children: (id: string) => ReactNode;
}): JSX.Element {
  const id = useId();
  return (
    <div className="ph-Field">
      <label htmlFor={id}>{props.label}</label>
      {props.children(id)}
      {props.hint === undefined || props.hint === null ? null : <p className="ph-Field-hint">{props.hint}</p>}
    </div>
  );
}

function CommandFields({ model, onChange }: FieldsProps): JSX.Element {
  const { trans } = useApp();
  return (
    <>
      <Field
        label={trans.__('Command')}
        hint={trans.__(
          '{port} stands for the port it gets, {apiKeyFile} for the file with the key that it must ask for.',
        )}
      >
        {(id) => (
          <input
            id={id}
            className="jp-mod-styled"
            placeholder="python service.py"
            spellCheck={false}
            value={model.command}
            onChange={(event) => onChange({ ...model, command: event.target.value })}
          />
        )}
      </Field>
      <Field label={trans.__('API')} hint={trans.__('zeromq: a service written with Pilothouse.')}>
        {(id) => (
          <select
            id={id}
            className="jp-mod-styled"
            value={model.api}
            onChange={(event) => {
              const api = serviceApiSchema.options.find((one) => one === event.target.value);
              if (api !== undefined) onChange({ ...model, api });
            }}
          >
            {serviceApiSchema.options.map((api) => (
              <option key={api}>{api}</option>
            ))}
          </select>
        )}
      </Field>
    </>
  );
}

function PilotField({ model, onChange, onNew }: FieldsProps & { readonly onNew: () => void }): JSX.Element {
  const { session, trans } = useApp();
  const pilots = takingPilots(useLive(session.picture$, session.picture).pilots);
  if (pilots.length === 0) {
    return (
      <p className="ph-Field-error" role="alert">
        {trans.__('No pilot is there to run it on.')} <LinkButton onClick={onNew}>{trans.__('New pilot')}</LinkButton>
      </p>
    );
  }
  return (
    <Field label={trans.__('Pilot')}>
      {(id) => (
        <select
          id={id}
          className="jp-mod-styled"
          value={(pilots.find((one) => one.id === model.pilot) ?? pilots[0])?.id ?? ''}
          onChange={(event) => onChange({ ...model, pilot: event.target.value })}
        >
          {pilots.map((one) => (
            <option key={one.id} value={one.id}>
              {`${one.name} (${stateWord(one.state)}, ${trans.__('%1 of %2 cores free', one.resources.cores - one.usage.cores, one.resources.cores)}${one.resources.gpus > 0 ? `, ${trans.__('%1 of %2 GPUs', one.resources.gpus - one.usage.gpus, one.resources.gpus)}` : ''})`}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function ResourceFields({ model, onChange }: FieldsProps): JSX.Element {
  const { trans } = useApp();
  return (
    <>
      <Field label={trans.__('Cores')} hint={trans.__('For each instance; the number of threads follows.')}>
        {(id) => (
          <input
            id={id}
            className="jp-mod-styled"
            type="number"
            min={1}
            value={model.cores}
            onChange={(event) => onChange({ ...model, cores: Math.max(1, event.target.valueAsNumber || 1) })}
          />
        )}
      </Field>
      <Field label={trans.__('GPUs')} hint={trans.__('For each instance; a model is split over all of them.')}>
        {(id) => (
          <input
            id={id}
            className="jp-mod-styled"
            type="number"
            min={0}
            value={model.gpus}
            onChange={(event) => onChange({ ...model, gpus: Math.max(0, event.target.valueAsNumber || 0) })}
          />
        )}
      </Field>
      <Field label={trans.__('Memory')} hint={trans.__('For example 4GiB; empty: not limited.')}>
        {(id) => (
          <input
            id={id}
            className="jp-mod-styled"
            value={model.memory}
            onChange={(event) => onChange({ ...model, memory: event.target.value.trim() })}
          />
        )}
      </Field>
    </>
  );
}

function MoreFields({ model, onChange }: FieldsProps): JSX.Element {
  const { trans } = useApp();
  const words: Readonly<Record<StartModel['policy'], string>> = {
    'least-outstanding': trans.__('the least busy instance'),
    'power-of-two': trans.__('the better of two drawn at random'),
    'round-robin': trans.__('each in turn'),
    'session-affinity': trans.__('the same for one session'),
    'prefix-affinity': trans.__('the one that has seen the beginning of the prompt'),
  };
  return (
    <details className="ph-Options">
      <summary>{trans.__('More')}</summary>
      <Field label={trans.__('Who answers')}>
        {(id) => (
          <select
            id={id}
            className="jp-mod-styled"
            value={model.policy}
            onChange={(event) => {
              const policy = routingPolicySchema.options.find((one) => one === event.target.value);
              if (policy !== undefined) onChange({ ...model, policy });
            }}
          >
            {routingPolicySchema.options.map((policy) => (
              <option key={policy} value={policy}>
                {words[policy]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field
        label={trans.__('Stops after')}
        hint={trans.__('So long without a request, such as 30m; empty: with its pilot.')}
      >
        {(id) => (
          <input
            id={id}
            className="jp-mod-styled"
            value={model.idle}
            onChange={(event) => onChange({ ...model, idle: event.target.value.trim() })}
          />
        )}
      </Field>
      <label>
        <input
          type="checkbox"
          checked={model.allowUnauthenticated}
          onChange={(event) => onChange({ ...model, allowUnauthenticated: event.target.checked })}
        />{' '}
        {trans.__('Start it although it asks for no key: every user of that node can then ask it')}
      </label>
    </details>
  );
}
