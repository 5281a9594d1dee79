import { z } from 'zod';
import type { Parameter, TemplateFile } from './schema.js';

/** Values of the parameters of a template, checked. */
export type Values = Readonly<Record<string, string | number | boolean | undefined>>;

/** What checks the parameters that somebody gave, and fills in the rest. */
export function parametersSchema(template: TemplateFile): z.ZodType<Values> {
  const required = new Set(template.required);
  const shape: Record<string, z.ZodType<string | number | boolean | undefined>> = {};
  for (const [name, parameter] of Object.entries(template.parameters)) {
    shape[name] = checkOf(parameter, required.has(name));
  }
  return z.strictObject(shape).superRefine((values, context) => {
    for (const { field, divide, atLeast, message } of template.rules) {
      const [of, by] = divide.map((name) => Number(values[name]));
      if (of === undefined || by === undefined || Number.isNaN(of / by) || of / by >= atLeast) continue;
      context.addIssue({ code: 'custom', path: [field], message });
    }
  });
}

/** The form: JSON Schema, draft 7. */
export function parametersForm(template: TemplateFile): Record<string, unknown> {
  const properties = Object.fromEntries(
    Object.entries(template.parameters).map(([name, parameter]) => {
      const { type, ...rest } = parameter;
      return [name, { type, ...withoutOwn(rest) }];
    }),
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties,
    ...(template.required.length === 0 ? {} : { required: template.required }),
    additionalProperties: false,
  };
}

/** Words of ours that JSON Schema does not know stay out of the form. */
function withoutOwn(parameter: object): object {
  return Object.fromEntries(Object.entries(parameter).filter(([name, value]) => name !== 'is' && value !== undefined));
}

function checkOf(parameter: Parameter, required: boolean): z.ZodType<string | number | boolean | undefined> {
  const check = plainCheck(parameter);
  if (parameter.default !== undefined) return check.default(parameter.default);
  return required ? check : check.optional();
}

function plainCheck(parameter: Parameter): z.ZodType<string | number | boolean> {
  if (parameter.type === 'boolean') return z.boolean();
  if (parameter.type === 'string') {
    if (parameter.enum !== undefined) return z.enum(parameter.enum);
    const check = z.string().min(1).max(4096);
    return parameter.pattern === undefined ? check : check.regex(new RegExp(parameter.pattern));
  }
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = parameter;
  const number = parameter.type === 'integer' ? z.int() : z.number();
  return number.min(Math.max(minimum, -Number.MAX_SAFE_INTEGER)).max(Math.min(maximum, Number.MAX_SAFE_INTEGER));
}
