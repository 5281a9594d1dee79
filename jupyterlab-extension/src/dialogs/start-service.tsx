import type { PilotRecord, ServiceDescription, TemplateReport } from '@pilothouse/sdk/internal';
import { nameSchema } from '@pilothouse/sdk/internal';
import { type ReactNode, useId } from 'react';
import { BehaviorSubject } from 'rxjs';
import { z } from 'zod';
import { ProblemNote } from '../components/problem-note.js';
import { ReactPanel } from '../components/react-panel.js';
import { EmptyState, LinkButton } from '../components/small.js';
import { type Problem, problemOf } from '../format/problem.js';
import { isFinal, stateWord } from '../format/state.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';
import { type FormBody, FormDialog } from './form-dialog.js';
import { type FormValue, SchemaForm } from './schema-form.js';
import { ShowCode } from './show-code.js';

const LAST_USED = 'start-service';
const paramsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

interface Model {
  readonly templates: readonly TemplateReport[] | null;
  readonly template: string | null;
  readonly name: string;
  readonly pilot: string | null;
  readonly cores: number;
  readonly params: FormValue;
  readonly problem: Problem | null;
}

/** Asks which service to start and where; resolves when the dialog is closed. */
export async function startService(app: IPilothouse): Promise<void> {
  const dialog = new FormDialog(app.trans.__('Start service'), new StartServiceForm(app), {
    accept: app.trans.__('Start service'),
    cancel: app.trans.__('Cancel'),
  });
  await dialog.launch();
}

class StartServiceForm extends ReactPanel implements FormBody {
  private readonly model = new BehaviorSubject<Model>({
    templates: null,
    template: null,
    name: '',
    pilot: null,
    cores: 1,
    params: {},
    problem: null,
  });

  constructor(app: IPilothouse) {
    super(app);
    this.addClass('ph-StartService');
    void this.load();
  }

  async submit(): Promise<boolean> {
    const { model } = this;
    const { trans, session, commands, memory } = this.app;
    const asked = describe(model.value, livePilots(session.picture.pilots));
    if (typeof asked === 'string') {
      this.patch({
        problem: {
          remedy: asked === 'pilot' ? trans.__('Make a pilot for it first.') : null,
          message: REFUSALS[asked],
          code: 'INVALID_DESCRIPTION',
          evidence: null,
        },
      });
      return false;
    }
    try {
      const service = await session.services.start(asked.template, asked.description);
      memory.write(LAST_USED, { template: asked.template, params: model.value.params });
      void commands.execute(CommandIDs.openService, { id: service.id });
      service.close();
      return true;
    } catch (error) {
      this.patch({ problem: problemOf(error) });
      return false;
    }
  }

  protected content(): ReactNode {
    return <StartServiceContent model={this.model} patch={(change) => this.patch(change)} close={() => this.close()} />;
  }

  /** The dialog around it goes away with its body. */
  override close(): void {
    this.parent?.parent?.close();
  }

  private async load(): Promise<void> {
    try {
      const templates = await this.app.session.services.templates();
      const first = templates.find((template) => template.available) ?? null;
      this.patch({
        templates,
        template: first?.name ?? null,
        cores: first?.resources.cores ?? 1,
        pilot: livePilots(this.app.session.picture.pilots)[0]?.id ?? null,
      });
    } catch (error) {
      this.patch({ problem: problemOf(error) });
    }
  }

  private patch(change: Partial<Model>): void {
    this.model.next({ ...this.model.value, problem: null, ...change });
  }
}

const REFUSALS = {
  template: 'No template that can be used here is chosen.',
  pilot: 'There is no pilot to run it on.',
  name: 'Names have letters, digits, dots, dashes and underscores, at most 63.',
  params: 'A parameter has a value that cannot be used.',
} as const;

function livePilots(pilots: readonly PilotRecord[]): readonly PilotRecord[] {
  return pilots.filter((pilot) => !isFinal('pilot', pilot.state) && pilot.state !== 'DRAINING');
}

/** What will be asked for, or which field stands against it. */
function describe(
  model: Model,
  pilots: readonly PilotRecord[],
): { template: string; description: ServiceDescription } | keyof typeof REFUSALS {
  const template = model.templates?.find((one) => one.name === model.template);
  if (template === undefined || !template.available) return 'template';
  const pilot = pilots.find((one) => one.id === model.pilot) ?? pilots[0];
  if (pilot === undefined) return 'pilot';
  if (model.name !== '' && !nameSchema.safeParse(model.name).success) return 'name';
  const params = paramsSchema.safeParse(withoutPresets(model.params, template.params));
  if (!params.success) return 'params';
  const description: ServiceDescription = {
    ...(model.name === '' ? {} : { name: model.name }),
    ...(Object.keys(params.data).length === 0 ? {} : { params: params.data }),
    ...(model.cores === template.resources.cores ? {} : { resources: { cores: model.cores } }),
    pilot: pilot.name,
  };
  return { template: template.name, description };
}

/** Parameters that differ from what the template takes by itself. */
function withoutPresets(params: FormValue, schema: TemplateReport['params']): FormValue {
  const properties: object =
    typeof schema.properties === 'object' && schema.properties !== null ? schema.properties : {};
  const presets = new Map<string, unknown>(
    Object.entries(properties).map(([name, property]: [string, unknown]) => [
      name,
      typeof property === 'object' && property !== null && 'default' in property ? property.default : undefined,
    ]),
  );
  return Object.fromEntries(
    Object.entries(params).filter(([name, value]) => value !== undefined && value !== presets.get(name)),
  );
}

function StartServiceContent(props: {
  readonly model: BehaviorSubject<Model>;
  readonly patch: (change: Partial<Model>) => void;
  readonly close: () => void;
}): JSX.Element {
  const { session, commands, trans } = useApp();
  const model = useLive(props.model, props.model.value);
  const picture = useLive(session.picture$, session.picture);
  const id = useId();
  const { templates, problem } = model;
  if (templates === null) {
    return problem === null ? (
      <EmptyState text={trans.__('Looking which services can be started here …')} />
    ) : (
      <ProblemNote problem={problem} />
    );
  }
  const pilots = livePilots(picture.pilots);
  const chosen = templates.find((template) => template.name === model.template);
  const asked = describe(model, pilots);
  const pilot = pilots.find((one) => one.id === model.pilot) ?? pilots[0];
  const hasParams = chosen !== undefined && Object.keys(chosen.params.properties ?? {}).length > 0;
  return (
    <>
      <fieldset className="ph-Templates">
        <legend>{trans.__('What')}</legend>
        {templates.map((template) => (
          <label key={template.name} className={template.available ? '' : 'ph-mod-off'}>
            <input
              type="radio"
              name={id}
              checked={template.name === model.template}
              disabled={!template.available}
              onChange={() => props.patch({ template: template.name, cores: template.resources.cores, params: {} })}
            />
            <span>
              <b>{template.title}</b>
              <span>{template.available ? template.description : (template.reason ?? template.description)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <div className="ph-Field">
        <label htmlFor={`${id}-pilot`}>{trans.__('Pilot')}</label>
        {pilots.length === 0 ? (
          <p className="ph-Field-error" role="alert">
            {trans.__('No pilot is there to run it on.')}{' '}
            <LinkButton
              onClick={() => {
                props.close();
                void commands.execute(CommandIDs.newPilot, { next: CommandIDs.startService });
              }}
            >
              {trans.__('New pilot')}
            </LinkButton>
          </p>
        ) : (
          <select
            id={`${id}-pilot`}
            className="jp-mod-styled"
            value={pilot?.id ?? ''}
            onChange={(event) => props.patch({ pilot: event.target.value })}
          >
            {pilots.map((one) => (
              <option key={one.id} value={one.id}>
                {`${one.name} (${stateWord(one.state)}, ${trans.__('%1 of %2 cores free', one.resources.cores - one.usage.cores, one.resources.cores)})`}
              </option>
            ))}
          </select>
        )}
      </div>
      <div className="ph-Field">
        <label htmlFor={`${id}-name`}>{trans.__('Name')}</label>
        <input
          id={`${id}-name`}
          className="jp-mod-styled"
          placeholder={chosen?.name ?? ''}
          value={model.name}
          onChange={(event) => props.patch({ name: event.target.value.trim() })}
        />
        <p className="ph-Field-hint">{trans.__('Empty: the name of the template.')}</p>
      </div>
      <div className="ph-Field">
        <label htmlFor={`${id}-cores`}>{trans.__('Cores')}</label>
        <input
          id={`${id}-cores`}
          className="jp-mod-styled"
          type="number"
          min={1}
          max={pilot?.resources.cores ?? 1}
          value={model.cores}
          onChange={(event) => props.patch({ cores: Math.max(1, event.target.valueAsNumber || 1) })}
        />
        <p className="ph-Field-hint">{trans.__('CPU cores granted; the number of threads follows.')}</p>
      </div>
      {hasParams ? (
        <SchemaForm
          name={trans.__('Parameters')}
          schema={{ ...chosen.params, title: '' }}
          uiSchema={{}}
          value={model.params}
          onChange={(params) => props.patch({ params })}
        />
      ) : null}
      {problem === null ? null : <ProblemNote problem={problem} />}
      {typeof asked === 'string' ? null : (
        <ShowCode subject={{ kind: 'new-service', template: asked.template, description: asked.description }} />
      )}
    </>
  );
}
