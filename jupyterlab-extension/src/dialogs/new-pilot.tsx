import type { EngineReport, PilotDescription } from '@pilothouse/sdk/internal';
import { pilotDescriptionSchema } from '@pilothouse/sdk/internal';
import { type ReactNode, useRef } from 'react';
import { BehaviorSubject } from 'rxjs';
import { ProblemNote } from '../components/problem-note.js';
import { ReactPanel } from '../components/react-panel.js';
import { EmptyState } from '../components/small.js';
import { type Problem, problemOf } from '../format/problem.js';
import { useFetched } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { useSettled } from '../hooks/settled.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';
import { type FormBody, FormDialog } from './form-dialog.js';
import { pilotFormSchema, pilotIssues, pilotUiSchema, withoutDefaults } from './pilot-form.js';
import { type FormValue, SchemaForm } from './schema-form.js';
import { ShowCode } from './show-code.js';

const LAST_USED = 'new-pilot';

interface Model {
  readonly engines: readonly EngineReport[] | null;
  readonly value: FormValue;
  readonly problem: Problem | null;
}

/** Asks for a new pilot; resolves when the dialog is closed, with whether there is one now. */
export async function newPilot(app: IPilothouse): Promise<boolean> {
  const form = new NewPilotForm(app);
  const dialog = new FormDialog(app.trans.__('New pilot'), form, {
    accept: app.trans.__('Start pilot'),
    cancel: app.trans.__('Cancel'),
  });
  const { button } = await dialog.launch();
  return button.accept;
}

class NewPilotForm extends ReactPanel implements FormBody {
  private readonly model = new BehaviorSubject<Model>({ engines: null, value: {}, problem: null });

  constructor(app: IPilothouse) {
    super(app);
    this.addClass('ph-NewPilot');
    void this.load();
  }

  async submit(): Promise<boolean> {
    const { engines, value } = this.model.value;
    const parsed = pilotDescriptionSchema.safeParse(value);
    if (engines === null || !parsed.success) return false;
    if (pilotIssues(value, chosenOf(engines, value), this.app.trans).length > 0) return false;
    const description = withoutDefaults(parsed.data);
    try {
      const pilot = await this.app.session.pilots.submit(description);
      this.app.memory.write(LAST_USED, value);
      void this.app.commands.execute(CommandIDs.open);
      pilot.close();
      return true;
    } catch (error) {
      this.patch({ problem: problemOf(error) });
      return false;
    }
  }

  protected content(): ReactNode {
    return <NewPilotContent model={this.model} onChange={(value) => this.patch({ value, problem: null })} />;
  }

  private async load(): Promise<void> {
    const [engines, last] = await Promise.allSettled([this.app.session.engines(), this.app.memory.read(LAST_USED)]);
    if (engines.status === 'rejected') {
      this.patch({ problem: problemOf(engines.reason) });
      return;
    }
    const presets = pilotDescriptionSchema.parse({});
    const first = engines.value.find((engine) => engine.available) ?? engines.value[0];
    const fresh: FormValue = {
      engine: first?.name ?? presets.engine,
      cores: Math.min(2, first?.limits.cores ?? 1),
      gpus: 0,
      nodes: 1,
      runtime: typeof presets.runtime === 'string' ? presets.runtime : '1h',
    };
    // Values of last time may not fit any more; then the form starts afresh.
    const kept = last.status === 'fulfilled' ? pilotDescriptionSchema.safeParse(last.value) : null;
    const value = kept?.success && last.status === 'fulfilled' && isFormValue(last.value) ? last.value : fresh;
    this.patch({ engines: engines.value, value });
    this.focusFirst();
  }

  private patch(change: Partial<Model>): void {
    this.model.next({ ...this.model.value, ...change });
  }
}

function isFormValue(value: unknown): value is FormValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function chosenOf(engines: readonly EngineReport[], value: FormValue): EngineReport | undefined {
  return engines.find((engine) => engine.name === (value.engine ?? 'local'));
}

function NewPilotContent(props: {
  readonly model: BehaviorSubject<Model>;
  readonly onChange: (value: FormValue) => void;
}): JSX.Element {
  const { trans } = useApp();
  const { engines, value, problem } = useLive(props.model, props.model.value);
  const parsed = pilotDescriptionSchema.safeParse(value);
  // While a field is being typed, the code shows the last description that was right.
  const right = useRef<PilotDescription>({});
  if (parsed.success) right.current = withoutDefaults(parsed.data);
  if (engines === null) {
    return problem === null ? (
      <EmptyState text={trans.__('Looking what this machine can give …')} />
    ) : (
      <ProblemNote problem={problem} />
    );
  }
  const chosen = chosenOf(engines, value);
  return (
    <>
      <SchemaForm
        name={trans.__('New pilot')}
        schema={pilotFormSchema(engines, chosen, trans)}
        uiSchema={pilotUiSchema(engines, chosen)}
        value={value}
        onChange={props.onChange}
        check={(current) => pilotIssues(current, chosenOf(engines, current), trans)}
      />
      {problem === null ? null : <ProblemNote problem={problem} />}
      <Preview description={right.current} valid={pilotIssues(value, chosen, trans).length === 0} />
    </>
  );
}

/** Says in words what will be asked for, and shows it as code. */
function Preview(props: { readonly description: PilotDescription; readonly valid: boolean }): JSX.Element {
  const { session, trans } = useApp();
  const key = useSettled(JSON.stringify(props.description));
  const { value, problem } = useFetched((signal) => session.pilots.preview(props.description, { signal }), key);
  const script = value === null ? null : { title: trans.__('Job script'), text: value.script };
  return (
    <>
      {value !== null && props.valid ? <p className="ph-Sentence">{value.sentence}</p> : null}
      {problem !== null && props.valid ? <ProblemNote problem={problem} /> : null}
      <ShowCode
        subject={{ kind: 'new-pilot', description: props.description }}
        {...(script === null ? {} : { script })}
      />
    </>
  );
}
