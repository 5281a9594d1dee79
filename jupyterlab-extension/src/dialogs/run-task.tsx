import type { PilotRecord } from '@pilothouse/sdk/internal';
import { type ReactNode, useRef, useState } from 'react';
import { BehaviorSubject } from 'rxjs';
import { ProblemNote } from '../components/problem-note.js';
import { ReactPanel } from '../components/react-panel.js';
import { LinkButton } from '../components/small.js';
import { type Problem, problemOf } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { writtenDescription } from '../task/description.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';
import { type FormBody, FormDialog } from './form-dialog.js';
import { type FormValue, SchemaForm } from './schema-form.js';
import { ShowCode } from './show-code.js';
import { describeTask, FRESH, taskFormSchema, taskUiSchema } from './task-form.js';

const LAST_USED = 'run-task';

interface Model {
  readonly value: FormValue;
  /** It has been sent once, so what is missing is shown. */
  readonly sent: boolean;
  readonly problem: Problem | null;
}

/** Asks what to run; resolves when the dialog is closed. */
export async function runTask(app: IPilothouse): Promise<void> {
  const { trans } = app;
  const dialog: FormDialog = new FormDialog(trans.__('Run a task'), new RunTaskForm(app, () => dialog.reject()), {
    accept: trans.__('Run'),
    cancel: trans.__('Cancel'),
  });
  await dialog.launch();
}

class RunTaskForm extends ReactPanel implements FormBody {
  private readonly model = new BehaviorSubject<Model>({ value: FRESH, sent: false, problem: null });

  /** @param leave - closes the dialog around it, for a way that leads elsewhere */
  constructor(
    app: IPilothouse,
    private readonly leave: () => void,
  ) {
    super(app);
    this.addClass('ph-RunTask');
    void this.load();
  }

  async submit(): Promise<boolean> {
    const { value } = this.model.value;
    const { description } = describeTask(value, this.app.trans);
    this.patch({ sent: true });
    if (description === null || description.command === undefined) return false;
    try {
      const { command, call: _call, ...rest } = writtenDescription(description);
      const task = await this.app.session.tasks.submit({ ...rest, command: command ?? description.command });
      this.app.memory.write(LAST_USED, value);
      const { id } = task;
      task.close();
      void this.app.commands.execute(CommandIDs.openTask, { id });
      return true;
    } catch (error) {
      this.patch({ problem: problemOf(error) });
      return false;
    }
  }

  protected content(): ReactNode {
    return (
      <RunTaskContent
        model={this.model}
        onChange={(value) => this.patch({ value, problem: null })}
        leave={this.leave}
      />
    );
  }

  private async load(): Promise<void> {
    const last = await this.app.memory.read(LAST_USED).catch((error: unknown) => {
      console.warn('Pilothouse could not read what was run last.', error);
    });
    // A pilot of last time may be over, and a name is for one task.
    if (isFormValue(last)) {
      const { pilot: _pilot, name: _name, ...rest } = last;
      if (describeTask(rest, this.app.trans).description !== null) this.patch({ value: { ...FRESH, ...rest } });
    }
    this.focusFirst();
  }

  private patch(change: Partial<Model>): void {
    this.model.next({ ...this.model.value, ...change });
  }
}

function isFormValue(value: unknown): value is FormValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function RunTaskContent(props: {
  readonly model: BehaviorSubject<Model>;
  readonly onChange: (value: FormValue) => void;
  readonly leave: () => void;
}): JSX.Element {
  const { commands, session, trans } = useApp();
  const { value, sent, problem } = useLive(props.model, props.model.value);
  const picture = useLive(session.picture$, session.picture);
  const [more, setMore] = useState(false);
  const pilots = picture.pilots.filter(takesTasks);
  const { description } = describeTask(value, trans);
  // While a field is being typed, the code shows the last description that was right.
  const right = useRef(description);
  if (description !== null) right.current = description;
  return (
    <>
      {pilots.length > 0 ? null : (
        <p className="ph-Field-error" role="alert">
          {trans.__('No pilot is there to run it on: it waits until there is one.')}{' '}
          <LinkButton
            onClick={() => {
              props.leave();
              void commands.execute(CommandIDs.newPilot, { next: CommandIDs.runTask });
            }}
          >
            {trans.__('New pilot')}
          </LinkButton>
        </p>
      )}
      <SchemaForm
        name={trans.__('Run a task')}
        schema={taskFormSchema(pilots, trans)}
        uiSchema={taskUiSchema(value, more)}
        value={value}
        onChange={props.onChange}
        check={(current) => {
          const { issues } = describeTask(current, trans);
          // A command that nobody has begun to type is not yet wrong.
          return sent || current.commandLine !== '' ? issues : issues.filter(({ path }) => path[0] !== 'commandLine');
        }}
      />
      <p>
        <LinkButton onClick={() => setMore(!more)}>
          {more ? trans.__('Fewer fields') : trans.__('More fields')}
        </LinkButton>
      </p>
      {problem === null ? null : <ProblemNote problem={problem} />}
      {right.current === null ? null : (
        <ShowCode subject={{ kind: 'new-task', description: writtenDescription(right.current) }} />
      )}
    </>
  );
}

function takesTasks(pilot: PilotRecord): boolean {
  return !isFinal('pilot', pilot.state) && pilot.state !== 'DRAINING';
}
