import { type FileHandle, open } from 'node:fs/promises';
import {
  type BatchRecord,
  type BatchRow,
  batchRowSchema,
  batchStates,
  PilothouseError,
} from '@pilothouse/sdk/internal';
import { z } from 'zod';
import { whereMissing } from '../../missing.js';

const NEWLINE = 0x0a;
const PIECE = 256 * 1024;
/** Bytes of rows in one answer: far under the 8 MiB of a message. */
const MOST = 3 * 1024 * 1024;
/** Every so many rows a place is remembered. */
const STEP = 1000;
/** Files whose places are remembered. */
const FILES = 32;

/** Some rows of a batch. */
export interface Rows {
  rows: BatchRow[];
  next: number;
  complete: boolean;
}

interface Places {
  /** Byte at which row `n * STEP` begins. */
  readonly starts: number[];
  readonly file: string;
  /** Which file that is: replaced by another, nothing of it counts. */
  inode: number;
}

/** Reads the rows that batches have written, by number, from the files themselves. */
export class RowReader {
  readonly #places = new Map<string, Places>();

  /** Rows from a number on, at most so many; what is being written is not there yet. */
  async read(batch: BatchRecord, from: number, limit: number): Promise<Rows> {
    // Looked at first: what stands in the file of a batch that has ended is all there will be.
    const over = batchStates.isFinal(batch.state);
    const file = await open(batch.out, 'r').catch(whereMissing(undefined));
    if (file === undefined) return { rows: [], next: from, complete: over };
    try {
      const places = await this.#placesOf(batch, file);
      const lines = await this.#lines(places, file, from, limit);
      const openai = batch.description.op === 'openai';
      const rows = lines.texts.map((text, index) => parse(text, openai, batch, from + index));
      return { rows, next: from + rows.length, complete: over && lines.end };
    } finally {
      await file.close();
    }
  }

  async #lines(
    { starts }: Places,
    file: FileHandle,
    from: number,
    limit: number,
  ): Promise<{ texts: string[]; end: boolean }> {
    const step = Math.min(Math.floor(from / STEP), starts.length - 1);
    let row = step * STEP;
    let position = starts[step] ?? 0;
    let rest = Buffer.alloc(0);
    const texts: string[] = [];
    let bytes = 0;
    for (;;) {
      const piece = Buffer.allocUnsafe(PIECE);
      const { bytesRead } = await file.read(piece, 0, PIECE, position + rest.length);
      if (bytesRead === 0) return { texts, end: true };
      const data = Buffer.concat([rest, piece.subarray(0, bytesRead)]);
      let start = 0;
      for (let stop = data.indexOf(NEWLINE); stop >= 0; stop = data.indexOf(NEWLINE, start)) {
        if (texts.length === limit || bytes > MOST) return { texts, end: false };
        if (stop > start) {
          if (row % STEP === 0 && row / STEP === starts.length) starts.push(position + start);
          if (row >= from) {
            texts.push(data.toString('utf8', start, stop));
            bytes += stop - start;
          }
          row += 1;
        }
        start = stop + 1;
      }
      position += start;
      rest = data.subarray(start);
    }
  }

  /** Where rows begin in this file, as far as it has been read. */
  async #placesOf({ id, out }: BatchRecord, file: FileHandle): Promise<Places> {
    const { ino } = await file.stat();
    const known = this.#places.get(id);
    if (known !== undefined && known.file === out && known.inode === ino) return known;
    const places: Places = { starts: [0], file: out, inode: ino };
    this.#places.delete(id);
    this.#places.set(id, places);
    const [oldest] = this.#places.keys();
    if (this.#places.size > FILES && oldest !== undefined) this.#places.delete(oldest);
    return places;
  }
}

const openaiRowSchema = z.object({
  custom_id: z.union([z.string(), z.number()]),
  response: z.object({ status_code: z.number(), body: z.unknown() }).nullish(),
  error: z.object({ code: z.string(), message: z.string() }).nullish(),
});

const completionSchema = z.object({
  model: z.string().nullish(),
  choices: z
    .array(z.object({ message: z.object({ content: z.string().nullish() }).optional(), text: z.string().optional() }))
    .optional(),
  usage: z.object({ prompt_tokens: z.int().default(0), completion_tokens: z.int().default(0) }).nullish(),
});

function parse(text: string, openai: boolean, { id, out }: BatchRecord, number: number): BatchRow {
  try {
    const value: unknown = JSON.parse(text);
    return openai ? fromOpenAi(value) : batchRowSchema.parse(value);
  } catch (cause) {
    throw new PilothouseError('LOG_DAMAGED', `${out}: row ${number + 1} is not one that a batch has written`, {
      hint: 'Put the line right or remove it, or name another file with "out".',
      ids: { batch: id },
      cause,
    });
  }
}

/** A line of OpenAI's batch format as a row of ours. */
function fromOpenAi(value: unknown): BatchRow {
  const { custom_id: key, response, error } = openaiRowSchema.parse(value);
  const body = completionSchema.safeParse(response?.body);
  const first = body.data?.choices?.[0];
  const usage = body.data?.usage;
  return {
    key,
    text: first?.message?.content ?? first?.text ?? null,
    value: response?.body ?? null,
    error: error ?? null,
    usage: usage ? { promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens } : null,
    instance: null,
    total: null,
    model: body.data?.model ?? null,
  };
}
