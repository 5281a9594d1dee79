import { z } from 'zod';
import { Chunk } from './columns.js';
import type { Extra, SetFacts, TaskGroup } from './facts.js';
import type { SetState } from './task-set-state.js';
import type { Offer } from './task-table.js';

/**
 * The forms in which the table of tasks lies in the cache: chunks as their bytes with the rest beside, texts by arena,
 * what tasks share in one piece. The cache is written and read by the same version and thrown away by any other, so
 * reading it back makes sure of its outline only.
 */
export interface CachedChunk {
  readonly index: number;
  readonly bytes: Uint8Array;
  /** What has no column, by place: JSON. */
  readonly rest: string;
}

export interface CachedArena {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly texts: number;
}

/** What slots have that is in no column. */
export interface ChunkRest {
  readonly extras: Readonly<Record<string, Extra>>;
  /** Ids of tasks that belong to no set. */
  readonly ids: Readonly<Record<string, string>>;
}

/** What tasks share, in the order of its numbers. */
export interface CachedShared {
  readonly end: number;
  readonly pilots: readonly string[];
  readonly groups: readonly TaskGroup[];
  readonly files: readonly string[];
  readonly signals: readonly string[];
  readonly placements: readonly { node: string; cores: number[]; gpus: string[] }[];
  readonly offers: readonly Offer[];
}

/** A set as it is cached. */
export interface CachedSet extends SetState {
  readonly facts: SetFacts;
  readonly number: number;
  readonly group: number;
}

const restSchema = z.custom<ChunkRest>((value) => hasFields(value, ['extras', 'ids']));
const sharedSchema = z.custom<CachedShared>((value) =>
  hasFields(value, ['end', 'pilots', 'groups', 'files', 'signals', 'placements', 'offers']),
);
const setsSchema = z.array(z.custom<CachedSet>((value) => hasFields(value, ['facts', 'number', 'group', 'open'])));

export function parseRest(text: string): ChunkRest {
  return restSchema.parse(JSON.parse(text));
}

export function parseShared(text: string): CachedShared {
  return sharedSchema.parse(JSON.parse(text));
}

export function parseSets(text: string): CachedSet[] {
  return setsSchema.parse(JSON.parse(text));
}

/** A chunk from its bytes, in memory of its own. */
export function chunkFrom(bytes: Uint8Array): Chunk {
  const own = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(own).set(bytes);
  return new Chunk(own);
}

function hasFields(value: unknown, fields: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && fields.every((field) => field in value);
}
