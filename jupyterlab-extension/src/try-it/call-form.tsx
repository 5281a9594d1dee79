import type { Method } from '@pilothouse/sdk/internal';
import type { RJSFSchema } from '@rjsf/utils';
import { useEffect, useId, useMemo, useState } from 'react';
import { LinkButton } from '../components/small.js';
import { isJsonObject, pureSchema } from '../dialogs/json-schema.js';
import { type FormValue, SchemaForm } from '../dialogs/schema-form.js';
import { uiOf } from '../dialogs/value-fields.js';
import { useApp } from '../hooks/context.js';
import { type Drafts, methodDraft } from './drafts.js';
import { type FormProps, TextArea } from './form-parts.js';

/**
 * A call of a method: a form made from the JSON Schema that the service publishes, or JSON, where it publishes none or
 * people like it better.
 */
export function CallForm({ drafts, methods, onChange }: FormProps): JSX.Element {
  const { trans } = useApp();
  const id = useId();
  const { call } = drafts;
  const method = methods?.find(({ name }) => name === call.method);
  const schema = useMemo(() => (method === undefined ? null : formOf(method)), [method]);
  const [asJson, setAsJson] = useState(false);
  const set = (change: Partial<Drafts['call']>): void => onChange({ call: { ...call, ...change } });
  const { input } = call;
  return (
    <>
      <div className="ph-RestLine">
        <label htmlFor={`${id}-method`}>{trans.__('Method')}</label>
        {methods === null || methods.length === 0 ? (
          <input
            id={`${id}-method`}
            className="jp-mod-styled"
            value={call.method}
            onChange={(event) => set({ method: event.target.value })}
          />
        ) : (
          <select
            id={`${id}-method`}
            className="jp-mod-styled"
            value={call.method}
            onChange={(event) =>
              onChange({ call: methodDraft(methods.find(({ name }) => name === event.target.value)) })
            }
          >
            {methods.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        {method === undefined || method.chunk !== null ? (
          <label>
            <input type="checkbox" checked={call.stream} onChange={(event) => set({ stream: event.target.checked })} />{' '}
            {trans.__('Take the answer in pieces')}
          </label>
        ) : null}
        {schema === null ? null : (
          <LinkButton onClick={() => setAsJson(!asJson)}>
            {asJson ? trans.__('as a form') : trans.__('as JSON')}
          </LinkButton>
        )}
      </div>
      {method?.description ? <p className="ph-Field-hint">{method.description}</p> : null}
      {schema !== null && !asJson && isFormValue(input) ? (
        <SchemaForm
          key={call.method}
          name={trans.__('Input of %1', call.method)}
          schema={schema}
          uiSchema={uiOf(schema)}
          value={input}
          onChange={(next) => set({ input: next })}
        />
      ) : (
        <JsonBox key={call.method} value={input} onChange={(next) => set({ input: next })} />
      )}
    </>
  );
}

/** JSON as text; what is no JSON yet stays in the box and is said, and the last good value counts. */
function JsonBox(props: { readonly value: unknown; readonly onChange: (value: unknown) => void }): JSX.Element {
  const { trans } = useApp();
  const { value, onChange } = props;
  const [text, setText] = useState(() => JSON.stringify(value, null, 2));
  const [wrong, setWrong] = useState<string | null>(null);
  const [told, setTold] = useState(value);
  useEffect(() => {
    if (value !== told) setText(JSON.stringify(value, null, 2));
  }, [value, told]);
  return (
    <>
      <TextArea
        label={trans.__('Input (JSON)')}
        rows={5}
        code
        value={text}
        onChange={(next) => {
          setText(next);
          try {
            const parsed: unknown = JSON.parse(next);
            setWrong(null);
            setTold(parsed);
            onChange(parsed);
          } catch (error) {
            setWrong(error instanceof Error ? error.message : String(error));
          }
        }}
      />
      {wrong === null ? null : (
        <p className="ph-Field-error" role="alert">
          {trans.__('This is no JSON yet: %1', wrong)}
        </p>
      )}
    </>
  );
}

/** The schema of a method's input for a form; null where it is no object with fields. */
function formOf({ input }: Method): RJSFSchema | null {
  const schema = pureSchema(input);
  return isJsonObject(schema.properties) && Object.keys(schema.properties).length > 0 ? { ...schema, title: '' } : null;
}

function isFormValue(value: unknown): value is FormValue {
  return isJsonObject(value);
}
