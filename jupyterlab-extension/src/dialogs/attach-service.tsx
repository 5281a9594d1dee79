import type { TranslationBundle } from '@jupyterlab/translation';
import {
  type AttachDescription,
  attachDescriptionSchema,
  type CredentialReport,
  nameSchema,
} from '@pilothouse/sdk/internal';
import { type ReactNode, useId, useRef, useState } from 'react';
import { BehaviorSubject } from 'rxjs';
import { ProblemNote } from '../components/problem-note.js';
import { ReactPanel } from '../components/react-panel.js';
import { LinkButton, TextButton } from '../components/small.js';
import { type Problem, problemOf } from '../format/problem.js';
import { useCall } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';
import { Detected, useDetection } from './detected.js';
import { type FormBody, FormDialog } from './form-dialog.js';
import { type FieldIssue, formSchema, zodIssues } from './json-schema.js';
import { type FormValue, SchemaForm } from './schema-form.js';
import { ShowCode } from './show-code.js';

const LAST_USED = 'attach-service';
const SCHEMA = formSchema(attachDescriptionSchema);
/** The fields that people see; the rest is for programs. */
const FIELDS = ['url', 'credential', 'name', 'model', 'allowUnauthenticated'] as const;

interface Model {
  readonly value: FormValue;
  readonly credentials: readonly CredentialReport[];
  readonly checking: boolean;
  readonly problem: Problem | null;
}

/** Asks for the address of a running server; resolves when the dialog is closed. */
export async function attachService(app: IPilothouse): Promise<void> {
  const dialog = new FormDialog(app.trans.__('Attach service'), new AttachForm(app), {
    accept: app.trans.__('Check and attach'),
    cancel: app.trans.__('Cancel'),
  });
  await dialog.launch();
}

class AttachForm extends ReactPanel implements FormBody {
  private readonly model = new BehaviorSubject<Model>({ value: {}, credentials: [], checking: false, problem: null });

  constructor(app: IPilothouse) {
    super(app);
    this.addClass('ph-Attach');
    void this.load();
  }

  async submit(): Promise<boolean> {
    const parsed = attachDescriptionSchema.safeParse(this.model.value.value);
    if (!parsed.success) {
      // An untouched form has no marks yet; a value for each field brings them out.
      this.patch({ value: { url: '', ...this.model.value.value } });
      return false;
    }
    this.patch({ checking: true, problem: null });
    try {
      const service = await this.app.session.services.attach(parsed.data);
      this.app.memory.write(LAST_USED, this.model.value.value);
      void this.app.commands.execute(CommandIDs.openService, { id: service.id });
      service.close();
      return true;
    } catch (error) {
      this.patch({ problem: problemOf(error) });
      return false;
    } finally {
      this.patch({ checking: false });
    }
  }

  protected content(): ReactNode {
    return (
      <AttachContent
        model={this.model}
        onChange={(value) => this.patch({ value, problem: null })}
        onCredential={(credential) => {
          const { credentials, value } = this.model.value;
          this.patch({
            credentials: [...credentials.filter((one) => one.name !== credential.name), credential],
            value: { ...value, credential: credential.name },
          });
        }}
      />
    );
  }

  private async load(): Promise<void> {
    try {
      this.patch({ credentials: await this.app.session.credentials.list() });
    } catch (error) {
      this.patch({ problem: problemOf(error) });
    }
  }

  private patch(change: Partial<Model>): void {
    this.model.next({ ...this.model.value, ...change });
  }
}

function AttachContent(props: {
  readonly model: BehaviorSubject<Model>;
  readonly onChange: (value: FormValue) => void;
  readonly onCredential: (credential: CredentialReport) => void;
}): JSX.Element {
  const { trans } = useApp();
  const { value, credentials, checking, problem } = useLive(props.model, props.model.value);
  const parsed = attachDescriptionSchema.safeParse(value);
  const look = useDetection(parsed.success ? withoutPresets(parsed.data) : null);
  // What is offered stays while the next look is under way.
  const models = useRef<readonly string[]>([]);
  if (look.found !== null) models.current = look.found.models;
  const zmq = typeof value.url === 'string' && /^(tcp|ipc):/.test(value.url);
  const none = trans.__('none');
  return (
    <>
      <SchemaForm
        name={trans.__('Attach service')}
        schema={{
          ...SCHEMA,
          title: '',
          properties: {
            ...pick(zmq ? [...FIELDS, 'serverKey'] : FIELDS),
            credential: choice('credential', ['', ...credentials.map(({ name }) => name)], none),
            ...(models.current.length > 1
              ? { model: choice('model', ['', ...models.current], trans.__('the first that it lists')) }
              : {}),
          },
        }}
        uiSchema={{
          'ui:order': [...FIELDS.slice(0, 1), ...(zmq ? ['serverKey'] : []), ...FIELDS.slice(1)],
          url: { 'ui:placeholder': 'http://127.0.0.1:8000/v1' },
        }}
        value={value}
        onChange={(next) => props.onChange(withoutEmpty(next))}
        check={(current) => attachIssues(current, trans)}
      />
      <Detected
        look={look}
        remedy={
          look.found?.asksForKey === true && value.credential === undefined
            ? trans.__('It asks for a key: choose a stored one, or add it here.')
            : null
        }
      />
      <AddCredential onAdded={props.onCredential} />
      {checking ? <p role="status">{trans.__('Checking the server and its key …')}</p> : null}
      {problem === null ? null : <ProblemNote problem={problem} />}
      {parsed.success ? <ShowCode subject={{ kind: 'attach', description: withoutPresets(parsed.data) }} /> : null}
    </>
  );
}

/** A field that is chosen from a list; the first, empty one has words of its own. */
function choice(field: string, values: readonly string[], empty: string): Readonly<Record<string, unknown>> {
  const { pattern: _pattern, ...rest } = propertyOf(field);
  return {
    ...rest,
    default: '',
    oneOf: values.map((value) => ({ const: value, title: value === '' ? empty : value })),
  };
}

function pick(names: readonly string[]): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return Object.fromEntries(names.map((name) => [name, propertyOf(name)]));
}

/** Stores a key under a name; the key itself never comes back out. */
function AddCredential(props: { readonly onAdded: (credential: CredentialReport) => void }): JSX.Element {
  const { session, trans } = useApp();
  const [open, setOpen] = useState(false);
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  const id = useId();
  const save = useCall(async () => {
    props.onAdded(await session.credentials.put(name, secret));
    setSecret('');
    setName('');
    setOpen(false);
  });
  if (!open) {
    return (
      <p>
        <LinkButton onClick={() => setOpen(true)}>{trans.__('Add a credential')}</LinkButton>
      </p>
    );
  }
  const valid = nameSchema.safeParse(name).success && secret !== '';
  return (
    <fieldset
      className="ph-Credential"
      data-ph-enter="own"
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || event.target instanceof HTMLButtonElement) return;
        event.preventDefault();
        if (valid && !save.busy) void save.run();
      }}
    >
      <legend>{trans.__('Add a credential')}</legend>
      <label htmlFor={`${id}-name`}>{trans.__('Name of the credential')}</label>
      <input
        id={`${id}-name`}
        className="jp-mod-styled"
        value={name}
        onChange={(e) => setName(e.target.value.trim())}
      />
      <label htmlFor={`${id}-secret`}>{trans.__('Key')}</label>
      <input
        id={`${id}-secret`}
        className="jp-mod-styled"
        type="password"
        autoComplete="off"
        value={secret}
        onChange={(event) => setSecret(event.target.value)}
      />
      <p className="ph-Field-hint">
        {trans.__('Kept in a file that only you can read. It is never shown again, and never put into a notebook.')}
      </p>
      <TextButton disabled={!valid || save.busy} onClick={() => void save.run()}>
        {trans.__('Store credential')}
      </TextButton>
      {save.problem === null ? null : <ProblemNote problem={save.problem} />}
    </fieldset>
  );
}

/** What stands against it; an address that nobody has begun to type is not yet wrong. */
function attachIssues(value: FormValue, trans: TranslationBundle): readonly FieldIssue[] {
  const issues = zodIssues(attachDescriptionSchema, withoutEmpty(value)).filter(({ path }) => path[0] !== 'url');
  const { url } = value;
  if (url === undefined || attachDescriptionSchema.shape.url.safeParse(url).success) return issues;
  const message =
    url === ''
      ? trans.__('Give the address of the server.')
      : trans.__('An address starts with http://, https:// or tcp://.');
  return [...issues, { path: ['url'], message }];
}

function propertyOf(name: string): Readonly<Record<string, unknown>> {
  const property = SCHEMA.properties?.[name];
  return typeof property === 'object' ? { ...property } : {};
}

/** A field that has been emptied counts as not given; the address stays, so that it can be asked for. */
function withoutEmpty(value: FormValue): FormValue {
  return Object.fromEntries(Object.entries(value).filter(([key, item]) => key === 'url' || item !== ''));
}

/** What somebody has filled in: what one gets anyway is left out. */
function withoutPresets(parsed: AttachDescription): AttachDescription {
  const { allowUnauthenticated, routing: _routing, ...rest } = parsed;
  return { ...rest, ...(allowUnauthenticated ? { allowUnauthenticated } : {}) };
}
