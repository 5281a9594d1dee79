import { type FileHandle, open } from 'node:fs/promises';
import { type BatchSpec, PilothouseError } from '@pilothouse/sdk/shared';
import { type KeyTable, printOf } from './key-table.js';
import { readLines, type TextLine } from './line-reader.js';
import { isMissing, keyText } from './output-file.js';
import { fieldOf, parseLine, type RowRequest, requestOf } from './row-input.js';

/** One input that is to be asked. */
export interface InputRow {
  readonly key: string | number;
  /** Line of the input, from 1. */
  readonly line: number;
  readonly request: RowRequest;
  /** Print of the input, written with its row where only its line tells it from others. */
  readonly print: string | undefined;
}

/** By which field the inputs are told apart; null: by their line. */
type KeyField = string | null;

/** The input of a batch: read twice from its beginning to its end, never held. */
export class Input {
  readonly #spec: BatchSpec;
  readonly #file: FileHandle;
  readonly #keyField: KeyField;

  private constructor(spec: BatchSpec, file: FileHandle, keyField: KeyField) {
    this.#spec = spec;
    this.#file = file;
    this.#keyField = keyField;
  }

  /** @throws PilothouseError DATA_NOT_FOUND, PERMISSION_DENIED, INVALID_DESCRIPTION */
  static async open(spec: BatchSpec): Promise<Input> {
    const file = await openInput(spec.input);
    try {
      return new Input(spec, file, await chooseKey(spec, file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Reads all keys, and counts the inputs: those there are, and those whose rows stand in the output.
   *
   * @throws PilothouseError INVALID_DESCRIPTION: a key is missing or there twice, or the input is no longer what its
   * output came from
   */
  async scan(keys: KeyTable, signal: AbortSignal): Promise<{ total: number; done: number }> {
    let total = 0;
    let done = 0;
    for await (const { line, key, text } of this.#lines(signal)) {
      const name = keyText(key);
      const before = keys.addLine(name, line);
      if (before !== undefined) throw this.#twice(key, before, line);
      if (this.#keyField === null && keys.isChanged(name, () => printOf(text))) throw this.#changed(line);
      total += 1;
      if (keys.isDone(name)) done += 1;
    }
    return { total, done };
  }

  /** The inputs whose rows are missing, in their order. */
  async *missing(keys: KeyTable, signal: AbortSignal): AsyncGenerator<InputRow> {
    for await (const { line, key, text, parsed } of this.#lines(signal)) {
      if (keys.isDone(keyText(key))) continue;
      yield {
        key,
        line: line + 1,
        request: parsed
          ? requestOf(parsed.value, this.#spec.description)
          : { kind: 'unusable', message: 'is not JSON' },
        print: this.#keyField === null ? printOf(text) : undefined,
      };
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async *#lines(signal: AbortSignal): AsyncGenerator<{
    line: number;
    key: string | number;
    text: string;
    parsed: { value: unknown } | undefined;
  }> {
    for await (const lines of readLines(this.#file, this.#spec.input)) {
      signal.throwIfAborted();
      for (const { number, text } of lines) {
        if (text.trim() === '') continue;
        const parsed = parseLine(text, this.#spec.format);
        yield { line: number, key: this.#keyOf(number, parsed), text, parsed };
      }
    }
  }

  #keyOf(line: number, parsed: { value: unknown } | undefined): string | number {
    if (this.#keyField === null) return line;
    // It fails by itself, and keeps nobody else from being answered.
    if (parsed === undefined) return `line ${line + 1}`;
    const key = fieldOf(parsed.value, this.#keyField);
    if (key === undefined) {
      throw this.#invalid(`line ${line + 1} has no "${this.#keyField}" that is a text or a number`, line, {
        hint: 'Give each input one, or name another field with "key".',
      });
    }
    return key;
  }

  #twice(key: string | number, before: number, line: number): PilothouseError {
    const which = keyText(key);
    return this.#invalid(`lines ${before + 1} and ${line + 1} have the same key ${which}`, line, {
      hint: 'Give each input a key of its own, or name another field with "key".',
    });
  }

  #changed(line: number): PilothouseError {
    const text = `line ${line + 1} has changed since ${this.#spec.out} was written, and rows are told apart by their line`;
    return this.#invalid(text, line, { hint: 'Give each input an "id", or name another file with "out".' });
  }

  #invalid(text: string, line: number, { hint }: { hint: string }): PilothouseError {
    return new PilothouseError('INVALID_DESCRIPTION', `${this.#spec.input}: ${text}`, {
      hint,
      field: 'key',
      evidence: `${this.#spec.input}:${line + 1}`,
    });
  }
}

/** The field that was asked for, else the usual one where every input has it, else the line. */
async function chooseKey({ description, format, input }: BatchSpec, file: FileHandle): Promise<KeyField> {
  if (format === 'lines') return null;
  if (description.key !== undefined) return description.key;
  if (description.op === 'openai') return 'custom_id';
  let any = false;
  for await (const lines of readLines(file, input)) {
    for (const line of lines) {
      const parsed = wholeLine(line);
      if (parsed === undefined) continue;
      if (fieldOf(parsed.value, 'id') === undefined) return null;
      any = true;
    }
  }
  return any ? 'id' : null;
}

function wholeLine({ text }: TextLine): { value: unknown } | undefined {
  return text.trim() === '' ? undefined : parseLine(text, 'jsonl');
}

async function openInput(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, 'r');
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (cause) {
    if (!isMissing(cause)) {
      throw new PilothouseError('PERMISSION_DENIED', `${path} cannot be read`, {
        hint: 'Look at its permissions.',
        field: 'input',
        cause,
      });
    }
  }
  throw new PilothouseError('DATA_NOT_FOUND', `${path} is no file on the node of the pilot`, {
    hint: 'Name a file that is there.',
    field: 'input',
  });
}
