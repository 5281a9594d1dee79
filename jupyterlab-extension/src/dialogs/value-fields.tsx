import type { FieldProps } from '@rjsf/utils';
import { useState } from 'react';
import { useApp } from '../hooks/context.js';
import { isJsonObject } from './json-schema.js';
import type { FormUi } from './schema-form.js';

type Props = FieldProps<unknown>;
type Json = Readonly<Record<string, unknown>>;

/**
 * How the fields of a published schema are drawn: lists of plain values as one line or one text a line, what has no
 * fields of its own as JSON. The form component's own lists need a click for each value.
 */
export function uiOf(schema: Json): FormUi {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) => {
      const field = isJsonObject(property) ? fieldOf(property) : null;
      return field === null ? [] : [[name, { 'ui:field': field }]];
    }),
  );
}

function fieldOf(property: Json): ((props: Props) => JSX.Element) | null {
  const { type, items, properties } = property;
  if (type === 'array') {
    const of = isJsonObject(items) ? items.type : undefined;
    if (of === 'number' || of === 'integer') return NumbersField;
    return of === 'string' && isJsonObject(items) && items.enum === undefined ? LinesField : JsonField;
  }
  const plain = typeof type === 'string' && type !== 'object';
  const choice = property.enum !== undefined || property.const !== undefined;
  return plain || choice || isJsonObject(properties) ? null : JsonField;
}

/** Numbers on one line: `1, 2.5, 3`. */
function NumbersField({ idSchema, formData, onChange }: Props): JSX.Element {
  const [text, setText] = useState(() => (Array.isArray(formData) ? formData.join(', ') : ''));
  return (
    <input
      id={idSchema.$id}
      className="jp-mod-styled"
      placeholder="1, 2, 3"
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        const words = event.target.value.split(/[\s,;[\]]+/).filter((word) => word !== '');
        // What is no number stays as it is: the check of the form says so.
        onChange(words.map((word) => (Number.isNaN(Number(word)) ? word : Number(word))));
      }}
    />
  );
}

/** Texts, one a line. */
function LinesField({ idSchema, formData, onChange }: Props): JSX.Element {
  const { trans } = useApp();
  const [text, setText] = useState(() => (Array.isArray(formData) ? formData.join('\n') : ''));
  return (
    <textarea
      id={idSchema.$id}
      className="jp-mod-styled"
      rows={3}
      placeholder={trans.__('one a line')}
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        onChange(event.target.value.split('\n').filter((line) => line !== ''));
      }}
    />
  );
}

/** Anything, as JSON; while that is no JSON the last good value counts. */
function JsonField({ idSchema, formData, onChange }: Props): JSX.Element {
  const { trans } = useApp();
  const [text, setText] = useState(() => (formData === undefined ? '' : JSON.stringify(formData, null, 2)));
  const [wrong, setWrong] = useState(false);
  return (
    <>
      <textarea
        id={idSchema.$id}
        className="jp-mod-styled ph-mod-code"
        rows={3}
        spellCheck={false}
        placeholder="JSON"
        value={text}
        aria-invalid={wrong}
        onChange={(event) => {
          setText(event.target.value);
          try {
            const value: unknown = event.target.value.trim() === '' ? undefined : JSON.parse(event.target.value);
            setWrong(false);
            onChange(value);
          } catch {
            setWrong(true);
          }
        }}
      />
      {wrong ? <p className="ph-Field-error">{trans.__('This is no JSON yet.')}</p> : null}
    </>
  );
}
