import { readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { type JournalRecord, journalRecordSchema } from '@pilothouse/sdk/shared';
import { damaged, parseLines } from './json-lines.js';

type Of<T extends JournalRecord['type']> = Extract<JournalRecord, { type: T }>;

/** What earlier agents of this pilot wrote: the last known of everything. */
export interface Past {
  /** Epoch of the last agent; 0: this is the first. */
  readonly epoch: number;
  /** Number of the last record. */
  readonly seq: number;
  readonly pilot: Of<'pilot'> | undefined;
  readonly tasks: ReadonlyMap<string, Of<'task'>>;
  readonly instances: ReadonlyMap<string, Of<'instance'>>;
  /** What is known of services as a whole, by id. */
  readonly services: ReadonlyMap<string, Of<'service'>>;
  readonly batches: ReadonlyMap<string, Of<'batch'>>;
  /** What was refused, by the evidence written with it. */
  readonly refused: ReadonlySet<string>;
  /** Offers that are this pilot's. */
  readonly claims: ReadonlySet<string>;
}

/** Files of a journal with their epochs, oldest first. */
export async function journalFiles(folder: string): Promise<{ epoch: number; path: string }[]> {
  const names = (await readdir(folder)).filter((name) => /^\d+\.jsonl$/.test(name));
  return names
    .map((name) => ({ epoch: Number.parseInt(name, 10), path: join(folder, name) }))
    .sort((a, b) => a.epoch - b.epoch);
}

/**
 * Reads the journals of all earlier agents.
 *
 * @throws PilothouseError LOG_DAMAGED when a line other than a torn last one cannot be used
 */
export async function readPast(folder: string): Promise<Past> {
  const tasks = new Map<string, Of<'task'>>();
  const instances = new Map<string, Of<'instance'>>();
  const services = new Map<string, Of<'service'>>();
  const batches = new Map<string, Of<'batch'>>();
  const refused = new Set<string>();
  const claims = new Set<string>();
  let pilot: Of<'pilot'> | undefined;
  let seq = 0;
  const files = await journalFiles(folder);
  for (const { path } of files) {
    for (const record of await readJournal(path)) {
      seq = record.seq;
      if (record.type === 'pilot') pilot = { ...pilot, ...record };
      else if (record.type === 'task') tasks.set(record.id, { ...tasks.get(record.id), ...record });
      else if (record.type === 'instance') instances.set(record.id, { ...instances.get(record.id), ...record });
      else if (record.type === 'service') services.set(record.id, { ...services.get(record.id), ...record });
      else if (record.type === 'batch') batches.set(record.id, { ...batches.get(record.id), ...record });
      else if (record.type === 'claimed') claims.add(record.offer);
      else refused.add(record.error.evidence ?? String(record.spoolSeq));
    }
  }
  return { epoch: files.at(-1)?.epoch ?? 0, seq, pilot, tasks, instances, services, batches, refused, claims };
}

/** The records of one journal file; its torn last line, if there is one, is cut off the file. */
async function readJournal(path: string): Promise<JournalRecord[]> {
  const content = await readFile(path);
  const { lines, length } = parseLines(content, path);
  if (length < content.length) await truncate(path, length);
  return lines.map(({ number, value }) => parseRecord(path, number, value));
}

/** Checks one line of a journal. */
export function parseRecord(path: string, number: number, value: unknown): JournalRecord {
  const parsed = journalRecordSchema.safeParse(value);
  if (!parsed.success) throw damaged(path, number, 'is no record of a journal', parsed.error);
  return parsed.data;
}
