import {
  durationSchema,
  environmentSchema,
  portSchema,
  probesSchema,
  resourcesSchema,
  serviceApiSchema,
  warmUpSchema,
} from '@pilothouse/sdk/internal';
import { z } from 'zod';

const text = { title: z.string().min(1), description: z.string().min(1).optional() };

/** One parameter of a template: as much of JSON Schema as a form needs. */
const parameterSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...text,
    type: z.literal('string'),
    default: z.string().optional(),
    enum: z.array(z.string()).min(1).optional(),
    pattern: z.string().optional(),
    examples: z.array(z.string()).optional(),
    /** `path`: a file or folder; `model`: one where it begins with `/`, `~` or `.`, else a name in a hub. */
    is: z.enum(['path', 'model']).optional(),
  }),
  z.strictObject({
    ...text,
    type: z.enum(['integer', 'number']),
    default: z.number().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
  z.strictObject({ ...text, type: z.literal('boolean'), default: z.boolean().optional() }),
]);
export type Parameter = z.output<typeof parameterSchema>;

/** Stands for a parameter that is given, and not false, zero or empty. */
const condition = z.string().regex(/^!?[a-z][A-Za-z0-9]*$/, 'name a parameter, with ! in front for "not given"');

/** A word of the command; or some that stand there only where a parameter is given (`!name`: is not). */
const wordSchema = z.union([z.string(), z.strictObject({ when: condition, words: z.array(z.string()).min(1) })]);

const valueSchema = z.union([z.string(), z.strictObject({ when: condition, value: z.string() })]);

/**
 * A template as it lies in a file: `<name>.json`. In `command`, `env`, `needs`, `model` and `warmUp`, `${name}` stands for
 * a parameter, `${service}` for the name of the service, `${cores}` and `${gpus}` for what an instance gets, and
 * `${demo.…}` for what a finder has found; the words in single braces (`{port}`) are filled in on the node.
 */
export const templateFileSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,40}$/, 'use lowercase letters, digits, dots and dashes'),
    title: z.string().min(1),
    description: z.string().min(1),
    /** Page of the server's own documentation that its flags were checked against. */
    docs: z.url().optional(),
    api: serviceApiSchema,
    /** How to attach one; there instead of `command` for servers that Pilothouse does not start. */
    attach: z.string().optional(),
    resources: resourcesSchema.prefault({}),
    parameters: z.record(z.string().regex(/^[a-z][A-Za-z0-9]*$/), parameterSchema).default({}),
    required: z.array(z.string()).default([]),
    /** `field` is refused where the first parameter divided by the second is below `atLeast`. */
    rules: z
      .array(
        z.strictObject({
          field: z.string(),
          divide: z.tuple([z.string(), z.string()]),
          atLeast: z.number(),
          message: z.string(),
        }),
      )
      .default([]),
    /** What the built program needs of the machine. */
    machine: z
      .strictObject({
        arch: z.string().optional(),
        glibc: z.string().optional(),
        cpuFlags: z.array(z.string()).default([]),
      })
      .optional(),
    /** Looks for an installation; `demo`: the small model that set-up brings. */
    finds: z.enum(['demo']).optional(),
    command: z.array(wordSchema).min(1).optional(),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), valueSchema).default({}),
    environment: environmentSchema.optional(),
    setup: z.array(z.string()).default([]),
    /** Files that must exist on the node. Names in a hub are passed over. */
    needs: z.array(z.string()).default([]),
    model: z.string().optional(),
    ports: z.array(portSchema).min(1).optional(),
    probes: probesSchema.prefault({}),
    warmUp: warmUpSchema.optional(),
    startTimeout: durationSchema.default('5m'),
    /** Requests that one instance takes at a time: a number, or the parameter that says it. */
    concurrency: z.union([z.int().min(1), z.string()]).default(64),
    /** Lines of its output that say how far it has loaded. */
    progress: z.array(z.string()).default([]),
    /** Parameters that the look before a launch is about. */
    checks: z
      .strictObject({
        /** The weights: a folder as the transformers library saves it, or a GGUF file. */
        weights: z.string().optional(),
        /** Tokens of context, and the parameter that says how many requests share them. */
        context: z.string().optional(),
        sharedBy: z.string().optional(),
        /** The server refuses more context than the model was made for; else it only answers worse. */
        strict: z.boolean().default(false),
        /** Share of the GPUs' memory that it may use, 0 to 1; a number or a parameter. */
        gpuShare: z.union([z.number(), z.string()]).optional(),
      })
      .prefault({}),
  })
  .superRefine((template, context) => {
    const known = new Set([...Object.keys(template.parameters), 'service', 'cores', 'gpus', 'seconds']);
    const problem = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if ((template.command === undefined) === (template.attach === undefined)) {
      problem('command', 'is needed, or "attach" for a server that is only attached');
    }
    const words = (template.command ?? []).flatMap((word) => (typeof word === 'string' ? [word] : word.words));
    if (words.some((word) => word.includes('{apiKey}'))) {
      problem('command', 'holds {apiKey}, which every user of the node could read; use {apiKeyFile}, or env');
    }
    const values = Object.values(template.env).map((value) => (typeof value === 'string' ? value : value.value));
    const conditions = [...(template.command ?? []), ...Object.values(template.env)].flatMap((one) =>
      typeof one === 'string' ? [] : [one.when.replace('!', '')],
    );
    const used = [...words, ...values, ...template.needs, template.model ?? '', JSON.stringify(template.warmUp ?? '')]
      .flatMap((word) => [...word.matchAll(/\$\{([^}]*)\}/g)].map(([, name = '']) => name))
      .filter((name) => template.finds === undefined || !name.startsWith(`${template.finds}.`));
    const { checks, concurrency } = template;
    const named = [
      checks.weights,
      checks.context,
      checks.sharedBy,
      checks.gpuShare,
      concurrency,
      ...template.required,
    ].filter((name): name is string => typeof name === 'string');
    for (const name of new Set([...conditions, ...used, ...named])) {
      if (!known.has(name)) problem('parameters', `has no "${name}", which is used`);
    }
    for (const pattern of template.progress)
      if (!isRegExp(pattern)) problem('progress', `is no expression: ${pattern}`);
  });
export type TemplateFile = z.output<typeof templateFileSchema>;

function isRegExp(text: string): boolean {
  try {
    return new RegExp(text).source !== '';
  } catch {
    return false; // Not an expression.
  }
}
