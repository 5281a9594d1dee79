import { FormComponent } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { FieldTemplateProps, FormValidation, RJSFSchema, RJSFValidationError, UiSchema } from '@rjsf/utils';
import { customizeValidator } from '@rjsf/validator-ajv8';
import type { FieldIssue } from './json-schema.js';

/** Values of a form by field. */
export type FormValue = ReadonlyJSONObject;
/** How a form's fields are drawn. */
export type FormUi = UiSchema<FormValue>;

const validator = customizeValidator<FormValue>();

/**
 * A form made from a schema by JupyterLab's own form component, checked while typing. Its fields have labels that
 * belong to them, which the component's own template lacks.
 */
export function SchemaForm(props: {
  readonly name: string;
  readonly schema: RJSFSchema;
  readonly uiSchema: FormUi;
  readonly value: FormValue;
  readonly onChange: (value: FormValue) => void;
  /** Nobody has tried to send it yet: what is missing is not yet wrong. */
  readonly unsent?: boolean;
  /** What is wrong beside, or instead of, what the schema says. */
  readonly check?: (value: FormValue) => readonly FieldIssue[];
}): JSX.Element {
  const { check } = props;
  return (
    <fieldset className="ph-Form jp-FormComponent" aria-label={props.name}>
      <FormComponent
        tagName="div"
        schema={props.schema}
        uiSchema={props.uiSchema}
        formData={props.value}
        validator={validator}
        templates={{ FieldTemplate }}
        onChange={(event) => props.onChange(event.formData ?? {})}
        liveValidate
        noHtml5Validate
        showErrorList={false}
        {...(check === undefined
          ? { transformErrors: (errors: RJSFValidationError[]) => inWords(errors, props.unsent === true) }
          : {
              customValidate: (data: FormValue | undefined, errors: FormValidation<ReadonlyJSONObject>) =>
                addIssues(errors, check(data ?? {})),
              // `check` knows better words for what the schema's own validator would say.
              transformErrors: (): RJSFValidationError[] => [],
            })}
      />
    </fieldset>
  );
}

/** The validator's findings as people say them; with `unsent` what is missing is left out. */
function inWords(errors: RJSFValidationError[], unsent: boolean): RJSFValidationError[] {
  return errors
    .filter(({ name }) => !(unsent && name === 'required'))
    .map((error) => (error.name === 'required' ? { ...error, message: 'This is needed.' } : error));
}

/** Writes issues into the component's tree of errors, which has places only for fields that have a value. */
function addIssues(
  errors: FormValidation<ReadonlyJSONObject>,
  issues: readonly FieldIssue[],
): FormValidation<ReadonlyJSONObject> {
  const tree: Record<string, unknown> = errors;
  for (const { path, message } of issues) {
    let place = tree;
    for (const part of path) {
      const next = place[part];
      const child = isRecord(next) ? next : { __errors: [] };
      place[part] = child;
      place = child;
    }
    const list = place.__errors;
    place.__errors = [...(Array.isArray(list) ? list : []), message];
  }
  return errors;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function FieldTemplate(props: FieldTemplateProps<FormValue>): JSX.Element {
  const { id, label, schema, children, rawErrors = [], hidden, displayLabel, uiSchema, required } = props;
  const own = uiSchema?.['ui:field'] !== undefined;
  if (hidden) return <div hidden>{children}</div>;
  if (id === 'root' || (schema.type === 'object' && !own)) return <>{children}</>;
  const isCheck = schema.type === 'boolean';
  return (
    <div className={rawErrors.length > 0 ? 'ph-Field ph-mod-invalid' : 'ph-Field'}>
      {(displayLabel || own) && !isCheck ? (
        <label htmlFor={id}>
          {label}
          {required && own ? ' *' : null}
        </label>
      ) : null}
      <div className="ph-Field-input">{children}</div>
      {schema.description === undefined || isCheck ? null : (
        <p className="ph-Field-hint" id={`${id}__description`}>
          {schema.description}
        </p>
      )}
      {rawErrors.length === 0 ? null : (
        <p className="ph-Field-error" id={`${id}__error`} role="alert">
          {rawErrors.join(' ')}
        </p>
      )}
    </div>
  );
}
