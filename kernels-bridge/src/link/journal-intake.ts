import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalRecord } from '@pilothouse/sdk/internal';
import { whereMissing } from '../missing.js';
import { readRecords } from '../store/read-lines.js';
import { journalLine } from './decode.js';

/** How far the journal of one pilot has been taken in. */
export interface JournalPosition {
  readonly seq: number;
  /** Byte offset by file name, for the next reading of files. */
  readonly offsets: Readonly<Record<string, number>>;
}

interface Intake {
  seq: number;
  readonly offsets: Map<string, number>;
  reading: Promise<void> | undefined;
}

/**
 * Takes in the journals of agents, each record exactly once and in order, whether it comes over the link or is read from
 * the pilot's folder. The numbers decide; a gap on the link sends us to the files, where everything lies.
 */
export class JournalIntake {
  readonly #intakes = new Map<string, Intake>();

  constructor(
    private readonly home: string,
    private readonly apply: (pilot: string, record: JournalRecord) => void,
  ) {}

  /** Number of the last record taken in. */
  have(pilot: string): number {
    return this.#intakes.get(pilot)?.seq ?? 0;
  }

  position(pilot: string): JournalPosition {
    const intake = this.#intake(pilot);
    return { seq: intake.seq, offsets: Object.fromEntries(intake.offsets) };
  }

  /** Goes on from a position that the cache knows. */
  restore(pilot: string, position: JournalPosition): void {
    this.#intakes.set(pilot, {
      seq: position.seq,
      offsets: new Map(Object.entries(position.offsets)),
      reading: undefined,
    });
  }

  /** Takes records that came over the link; resolves once they, or what was missing before them, are in. */
  async accept(pilot: string, records: readonly JournalRecord[]): Promise<void> {
    const intake = this.#intake(pilot);
    if (intake.reading !== undefined) await intake.reading;
    for (const record of records) {
      if (record.seq <= intake.seq) continue;
      if (record.seq > intake.seq + 1) {
        await this.readFiles(pilot);
        if (record.seq !== intake.seq + 1) continue;
      }
      this.#take(pilot, intake, record);
    }
  }

  /** Reads what the files have beyond what is known. */
  readFiles(pilot: string): Promise<void> {
    const intake = this.#intake(pilot);
    intake.reading ??= this.#read(pilot, intake).finally(() => {
      intake.reading = undefined;
    });
    return intake.reading;
  }

  forget(pilot: string): void {
    this.#intakes.delete(pilot);
  }

  async #read(pilot: string, intake: Intake): Promise<void> {
    const folder = join(this.home, 'pilots', pilot, 'journal');
    for (const name of await journalFiles(folder)) {
      for await (const lines of readRecords(join(folder, name), journalLine, intake.offsets.get(name) ?? 0)) {
        for (const { value, end } of lines) {
          if (value.seq > intake.seq) this.#take(pilot, intake, value);
          intake.offsets.set(name, end);
        }
      }
    }
  }

  #take(pilot: string, intake: Intake, record: JournalRecord): void {
    intake.seq = record.seq;
    this.apply(pilot, record);
  }

  #intake(pilot: string): Intake {
    let intake = this.#intakes.get(pilot);
    if (intake === undefined) {
      intake = { seq: 0, offsets: new Map(), reading: undefined };
      this.#intakes.set(pilot, intake);
    }
    return intake;
  }
}

async function journalFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(whereMissing([]));
  return names
    .filter((name) => /^\d+\.jsonl$/.test(name))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}
