import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pilotStates } from '@pilothouse/sdk/internal';
import type { Picture } from '../picture/picture.js';
import type { SpoolEntry, SpoolWriter } from '../spool/spool-writer.js';
import { logRecordSchema } from './log-records.js';
import { readRecords } from './read-lines.js';

/**
 * Completes the spools: a bridge that was killed between writing a submit into its log and into the spool left work that
 * no agent would ever see, and that a client which repeats its submit is told to be there.
 */
export async function repairSpools(home: string, picture: Picture, spool: SpoolWriter): Promise<number> {
  const missing = new Map<string, string>();
  for (const pilot of picture.list('pilot')) {
    if (pilotStates.isFinal(pilot.state)) continue;
    const unheard = [
      ...[...picture.on(pilot.id, 'task')].filter((id) => picture.get('task', id)?.state === 'NEW'),
      ...[...picture.on(pilot.id, 'service')].filter((id) =>
        picture.get('service', id)?.instances.every(({ state }) => state === 'NEW'),
      ),
    ];
    if (unheard.length === 0) continue;
    const spooled = new Set<string>();
    for (const record of await spool.read(pilot.id)) {
      if (record.type === 'task') spooled.add(record.task.id);
      if (record.type === 'service') spooled.add(record.service.id);
    }
    for (const id of unheard) if (!spooled.has(id)) missing.set(id, pilot.id);
  }
  if (missing.size === 0) return 0;
  for (const [pilot, entries] of await findSpecs(join(home, 'log'), missing)) await spool.append(pilot, entries);
  return missing.size;
}

async function findSpecs(folder: string, missing: ReadonlyMap<string, string>): Promise<Map<string, SpoolEntry[]>> {
  const found = new Map<string, SpoolEntry[]>();
  const add = (id: string, entry: SpoolEntry): void => {
    const pilot = missing.get(id);
    if (pilot !== undefined) found.set(pilot, [...(found.get(pilot) ?? []), entry]);
  };
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.jsonl')) continue;
    for await (const lines of readRecords(join(folder, name), logRecordSchema)) {
      for (const { value } of lines) {
        if (value.type === 'task.submitted') add(value.task.id, { type: 'task', task: value.spec });
        if (value.type === 'service.submitted' && value.spec !== null) {
          add(value.service.id, { type: 'service', service: value.spec });
        }
      }
    }
  }
  return found;
}
