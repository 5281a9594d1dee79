import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type AnyFunction, codeOf, find, type ModuleReference } from './functions.js';
import { inWords, type Printed } from './printed.js';
import { Refused } from './refused.js';

/** The same as `INLINE_PAYLOAD_BYTES`: taking it from the SDK would load all of zod, and triple the time to start. */
export const INLINE_BYTES = 256 * 1024;

/** One call: `[number, run, function, args, cwd]`. */
export type CallOrder = readonly [
  number: number,
  run: string,
  reference: number,
  args:
    | { readonly json: unknown }
    | { readonly file: string; readonly format: string }
    | { readonly pickle: string }
    | null,
  cwd: string | null,
];

/** Makes calls, one after another. */
export class Caller {
  readonly #values: string;
  readonly #modules: string;
  readonly #out: Printed;
  readonly #err: Printed;
  readonly #references = new Map<number, ModuleReference>();
  readonly #functions = new Map<number, AnyFunction>();

  constructor(values: string, modules: string, out: Printed, err: Printed) {
    this.#values = values;
    this.#modules = modules;
    this.#out = out;
    this.#err = err;
  }

  learn(references: Readonly<Record<string, ModuleReference>>): void {
    for (const [number, reference] of Object.entries(references)) {
      this.#references.set(Number(number), reference);
      this.#functions.delete(Number(number));
    }
  }

  /** Highest number of a function. */
  get known(): number {
    return Math.max(0, ...this.#references.keys());
  }

  /** Makes a call and gives its result as JSON text: `[number, run, outcome, wall, cpu, maxRss, stdout, stderr]`. */
  async make(call: CallOrder): Promise<string> {
    const [number, run, , , cwd] = call;
    process.env.PILOTHOUSE_TASK_ID = run.slice(0, run.lastIndexOf(':'));
    const before = process.cpuUsage();
    const start = performance.now();
    const wanted = cwd ?? this.#modules;
    if (process.cwd() !== wanted) process.chdir(wanted);
    const outcome = await this.#outcome(call);
    const wall = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(before);
    const maxRss = process.resourceUsage().maxRSS * 1024;
    const [out, err] = [this.#out.take(), this.#err.take()];
    const printed = out || err ? `,${JSON.stringify(out)},${JSON.stringify(err)}` : '';
    return `[${number},${JSON.stringify(run)},${outcome},${wall.toFixed(6)},${((user + system) / 1e6).toFixed(6)},${maxRss}${printed}]`;
  }

  async #outcome(call: CallOrder): Promise<string> {
    const [, run, reference] = call;
    try {
      const value = await (await this.#function(reference))(...argumentsOf(call));
      return `{"value":${this.#payload(value, run, this.#references.get(reference)?.export ?? '')}}`;
    } catch (error) {
      if (error instanceof Refused) {
        const { code, message, hint } = error;
        return `{"refused":${JSON.stringify({ code, message, hint })}}`;
      }
      return `{"exception":${JSON.stringify(inWords(error))}}`;
    }
  }

  async #function(number: number): Promise<AnyFunction> {
    let found = this.#functions.get(number);
    if (found === undefined) {
      const reference = this.#references.get(number);
      if (reference === undefined)
        throw new Refused('FUNCTION_NOT_FOUND', 'the function was not sent', 'Submit it again.');
      found = await find(reference);
      this.#functions.set(number, found);
    }
    return found;
  }

  #payload(value: unknown, run: string, name: string): string {
    let text: string | undefined;
    try {
      text = JSON.stringify(value === undefined ? null : value);
    } catch (error) {
      throw notJson(name, error instanceof Error ? error.message.split('\n', 1).join('') : String(error), error);
    }
    if (text === undefined) throw notJson(name, `a ${typeof value} has no JSON`);
    if (text.length <= INLINE_BYTES) return `{"json":${text}}`;
    mkdirSync(this.#values, { recursive: true, mode: 0o700 });
    const file = join(this.#values, `${run.replace(':', '.')}.json`);
    const size = writePrivate(file, text);
    return JSON.stringify({ file, format: 'json', size });
  }
}

function argumentsOf([, , , args]: CallOrder): readonly unknown[] {
  const value =
    args === null ? [] : 'json' in args ? args.json : 'file' in args ? readJson(args.file, args.format) : undefined;
  if (Array.isArray(value)) return value;
  throw new Refused(
    'FUNCTION_NOT_SENDABLE',
    'a function of TypeScript takes a list of JSON values',
    'Give numbers, text, true, false, null, lists and objects of them.',
  );
}

function readJson(file: string, format: string): unknown {
  if (format !== 'json') return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Refused(
      'DATA_NOT_FOUND',
      `the arguments were in ${file}, which is gone`,
      'Submit the call again.',
      error,
    );
  }
}

function notJson(name: string, why: string, cause?: unknown): Refused {
  const hint =
    'Return plain data: numbers, text, lists and objects; write anything else to a file and return its path.';
  return new Refused('FUNCTION_NOT_SENDABLE', `the result of ${name} cannot be sent: ${why}`, hint, cause);
}

/** Writes a file that only its owner can read, whole or not at all, and for good; gives its bytes. */
function writePrivate(file: string, text: string): number {
  const unfinished = `${file}.${process.pid}.part`;
  const bytes = Buffer.from(text);
  const descriptor = openSync(unfinished, 'w', 0o600);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    fdatasyncSync(descriptor);
    renameSync(unfinished, file);
  } catch (error) {
    unlinkSync(unfinished);
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return bytes.length;
}
