import { PilothouseError } from '../../errors/index.js';
import { idOfBytes, newId } from '../../ids/ids.js';
import type { Caller } from '../caller.js';
import type { Many } from '../types.js';
import { PIECE_LENGTH } from './pieces.js';

/** Rows of one `batches.upload`, which takes 10,000. */
const PIECE_ROWS = 4_000;

/**
 * Sends the inputs of a batch, in pieces.
 *
 * @returns their id, which follows from what they are: the same list again is the same input
 */
export async function uploadRows(
  caller: Caller,
  rows: Many<unknown>,
  signal: AbortSignal | undefined,
): Promise<string> {
  const all = Array.isArray(rows) ? rows : await collect(rows);
  if (all.length === 0) {
    throw new PilothouseError('INVALID_DESCRIPTION', 'There is nothing to ask: the list is empty.', { field: 'input' });
  }
  const pieces = [...cut(all)];
  const upload = await identify(pieces);
  let from = 0;
  for (const piece of pieces) {
    const start = from;
    await caller.call(`sending ${all.length} inputs`, { signal }, (api, abort) =>
      api.batches.upload({ upload, from: start, rows: piece.rows }, { signal: abort }),
    );
    from += piece.rows.length;
  }
  return upload;
}

async function collect(rows: Many<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

interface RowPiece {
  readonly rows: unknown[];
  readonly text: string;
}

function* cut(rows: readonly unknown[]): Generator<RowPiece, void, void> {
  let piece: unknown[] = [];
  let texts: string[] = [];
  let length = 0;
  for (const [index, row] of rows.entries()) {
    const text: string | undefined = JSON.stringify(row);
    if (text === undefined) {
      throw new PilothouseError('INVALID_DESCRIPTION', `Input ${index} is nothing that JSON can hold.`, {
        hint: 'Give texts or plain objects.',
        field: 'input',
      });
    }
    if (piece.length > 0 && (piece.length === PIECE_ROWS || length + text.length > PIECE_LENGTH)) {
      yield { rows: piece, text: texts.join('\n') };
      piece = [];
      texts = [];
      length = 0;
    }
    piece.push(row);
    texts.push(text);
    length += text.length + 1;
  }
  yield { rows: piece, text: texts.join('\n') };
}

/** An id made of what the rows are; a random one where the page has no way to make one. */
async function identify(pieces: readonly RowPiece[]): Promise<string> {
  // Pages that came over plain HTTP have none.
  const subtle: typeof globalThis.crypto.subtle | undefined = globalThis.crypto.subtle;
  if (subtle === undefined) return newId('batch');
  let digest = new Uint8Array(0);
  for (const { text } of pieces) {
    const bytes = new TextEncoder().encode(text);
    const joined = new Uint8Array(digest.length + bytes.length);
    joined.set(digest);
    joined.set(bytes, digest.length);
    digest = new Uint8Array(await subtle.digest('SHA-256', joined));
  }
  return idOfBytes('batch', digest);
}
