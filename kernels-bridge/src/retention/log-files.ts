import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordKind } from '@pilothouse/sdk/internal';
import { whereMissing } from '../missing.js';
import type { Picture } from '../picture/picture.js';
import { type LogRecord, logRecordSchema } from '../store/log-records.js';
import { readRecords } from '../store/read-lines.js';

/** Something that a log file says the beginning of, and that is still on the lists. */
interface Needed {
  readonly kind: RecordKind;
  readonly id: string;
}

/**
 * Logs of earlier epochs that nothing needs any more. They go from the oldest on, never out of the middle: a later log
 * says what became of things that an earlier one began.
 */
export class OldLogs {
  /** What was found to need a file the last time: looked at first, so that a file is rarely read twice. */
  readonly #needed = new Map<string, Needed>();

  constructor(
    private readonly home: string,
    private readonly epoch: number,
    private readonly picture: Picture,
  ) {}

  /**
   * Log files that nothing on the lists began in, oldest first; relative to the state root.
   *
   * @param leaving - ids that are about to leave the lists
   */
  async unneeded(leaving: ReadonlySet<string>): Promise<string[]> {
    const names = await readdir(join(this.home, 'log')).catch(whereMissing<string[]>([]));
    const epochs = names
      .filter((name) => /^\d+\.jsonl$/.test(name))
      .map((name) => Number.parseInt(name, 10))
      .filter((epoch) => epoch < this.epoch)
      .sort((a, b) => a - b);
    const unneeded: string[] = [];
    for (const epoch of epochs) {
      const path = `log/${epoch}.jsonl`;
      if (await this.#isNeeded(path, leaving)) break;
      unneeded.push(path);
    }
    return unneeded;
  }

  async #isNeeded(path: string, leaving: ReadonlySet<string>): Promise<boolean> {
    const isThere = ({ kind, id }: Needed): boolean => !leaving.has(id) && this.picture.has(kind, id);
    const known = this.#needed.get(path);
    if (known !== undefined && isThere(known)) return true;
    for await (const lines of readRecords(join(this.home, path), logRecordSchema, 0)) {
      for (const { value } of lines) {
        const needed = begunBy(value).find(isThere);
        if (needed === undefined) continue;
        this.#needed.set(path, needed);
        return true;
      }
    }
    this.#needed.delete(path);
    return false;
  }
}

function begunBy(record: LogRecord): Needed[] {
  switch (record.type) {
    case 'pilot.submitted':
      return [{ kind: 'pilot', id: record.pilot.id }];
    case 'service.submitted':
      return [{ kind: 'service', id: record.service.id }];
    case 'batch.submitted':
      return [{ kind: 'batch', id: record.batch.id }];
    case 'set.opened':
      return [{ kind: 'set', id: record.set.id }];
    case 'tasks.submitted':
      if (record.set !== null) return [{ kind: 'set', id: record.set }];
      return record.tasks.map(({ id }) => ({ kind: 'task', id }));
    default:
      return [];
  }
}
