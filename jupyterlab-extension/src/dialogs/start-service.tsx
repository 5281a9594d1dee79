import { serviceDescriptionSchema, type TemplateReport } from '@pilothouse/sdk/internal';
import type { ReactNode } from 'react';
import { BehaviorSubject } from 'rxjs';
import { ReactPanel } from '../components/react-panel.js';
import { type Problem, problemOf } from '../format/problem.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';
import { type FormBody, FormDialog } from './form-dialog.js';
import { isJsonObject } from './json-schema.js';
import { StartContent } from './start-content.js';
import { describeStart, FRESH, type Refusal, type StartModel, takingPilots, withTemplate } from './start-model.js';
import { rank } from './template-list.js';

const LAST_USED = 'start-service';

/** What the dialog knows beside what the form holds. */
export interface StartState {
  readonly templates: readonly TemplateReport[] | null;
  readonly model: StartModel;
  /** Somebody has tried to send it: what is missing is marked now. */
  readonly sent: boolean;
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
  private readonly state = new BehaviorSubject<StartState>({
    templates: null,
    model: FRESH,
    sent: false,
    problem: null,
  });

  constructor(app: IPilothouse) {
    super(app);
    this.addClass('ph-StartService');
    void this.load();
  }

  async submit(): Promise<boolean> {
    const { session, commands, memory } = this.app;
    const { model, templates } = this.state.value;
    const asked = describeStart(model, templates ?? [], takingPilots(session.picture.pilots));
    if (typeof asked === 'string') {
      this.patch({ sent: true, problem: this.refused(asked) });
      return false;
    }
    try {
      const service = await session.services.start(asked.what, asked.description);
      memory.write(LAST_USED, { template: model.template, params: model.params, name: '', command: model.command });
      void commands.execute(CommandIDs.openService, { id: service.id });
      service.close();
      return true;
    } catch (error) {
      this.patch({ problem: problemOf(error) });
      return false;
    }
  }

  protected content(): ReactNode {
    return (
      <StartContent
        state={this.state}
        onChange={(model) => this.patch({ model, problem: null })}
        leave={() => this.parent?.parent?.close()}
      />
    );
  }

  private refused(refusal: Refusal): Problem {
    const { trans } = this.app;
    const words: Readonly<Record<Refusal, string>> = {
      template: trans.__('No template that can be used here is chosen.'),
      command: trans.__('There is no command that can be run.'),
      pilot: trans.__('There is no pilot to run it on.'),
      name: trans.__('It needs a name: letters, digits, dots, dashes and underscores, at most 63.'),
      params: trans.__('A parameter has a value that cannot be used.'),
      instances: trans.__('The number of instances cannot be used.'),
      fields: trans.__('Memory is written like 4GiB, times like 30m.'),
    };
    return {
      remedy: refusal === 'pilot' ? trans.__('Make a pilot for it first.') : null,
      message: words[refusal],
      code: 'INVALID_DESCRIPTION',
      evidence: null,
    };
  }

  private async load(): Promise<void> {
    const { session, memory } = this.app;
    try {
      const templates = await session.services.templates();
      const last = await memory.read(LAST_USED).catch((error: unknown) => {
        console.warn('Pilothouse could not read what was started last.', error);
      });
      const kept = isJsonObject(last) ? last : {};
      const usable = templates
        .filter((template) => template.available && template.launches)
        .sort((a, b) => rank(a) - rank(b));
      const chosen = usable.find(({ name }) => name === kept.template) ?? usable[0] ?? null;
      const pilot = takingPilots(session.picture.pilots)[0]?.id ?? null;
      const fresh = withTemplate({ ...FRESH, pilot }, chosen);
      const params = serviceDescriptionSchema.shape.params.safeParse(kept.params);
      const again = chosen !== null && chosen.name === kept.template && params.success;
      this.patch({ templates, model: again ? { ...fresh, params: params.data } : fresh });
      this.focusFirst();
    } catch (error) {
      this.patch({ problem: problemOf(error) });
    }
  }

  private patch(change: Partial<StartState>): void {
    this.state.next({ ...this.state.value, ...change });
  }
}
