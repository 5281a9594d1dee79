import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ErrorData,
  PilothouseError,
  type SpoolRecord,
  spoolRecordSchema,
  toErrorData,
} from '@pilothouse/sdk/shared';

/** What a spool does with what it reads. */
export interface SpoolListener {
  /** Records in the order of their numbers, each once. */
  accepted(records: readonly SpoolRecord[]): void;
  /** A record that must not or cannot be obeyed. `error.evidence` names it for good. */
  refused(seq: number, error: ErrorData): void;
}

interface SpoolFile {
  /** Bytes read so far: whole lines only. */
  offset: number;
  lines: number;
  /** Number of its first record. */
  first: number | undefined;
  /** A later bridge has been heard and everything up to then was read: what still comes is from an overtaken one. */
  sealed: boolean;
}

const NEWLINE = 0x0a;
/** How a line begins, as the bridge writes it. */
const STAMP = /^\{"seq":(\d+),"epoch":(\d+),/;
const STAMP_LENGTH = 64;

/**
 * Reads what bridges have written for this pilot, one file per epoch of a bridge.
 *
 * All files form one line of numbers. A bridge that was overtaken may still write for a while: its records carry
 * numbers that its successor has given too, or come after the successor was heard; both are refused.
 */
export class Spool {
  readonly #folder: string;
  readonly #listener: SpoolListener;
  readonly #files = new Map<number, SpoolFile>();
  readonly #refused: Set<string>;
  #lastSeq = 0;
  #obeys = 0;
  /** The last record that the link brought; those of its epoch before it have been obeyed or refused as well. */
  #linked: { readonly epoch: number; readonly seq: number } | undefined;
  #reading: Promise<void> | undefined;
  #again = false;

  /**
   * @param refused - evidence of what earlier agents have refused
   */
  constructor(folder: string, listener: SpoolListener, refused: ReadonlySet<string>) {
    this.#folder = folder;
    this.#listener = listener;
    this.#refused = new Set(refused);
  }

  /** Number of the last record obeyed. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Highest epoch of a bridge that was heard or read. */
  get obeys(): number {
    return this.#obeys;
  }

  /** Reads what is new. Calls while one is under way share the next one. */
  read(): Promise<void> {
    if (this.#reading !== undefined) {
      this.#again = true;
      return this.#reading;
    }
    this.#reading = this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Takes records that came over the link; with a gap before them, or out of turn, the files decide. */
  async offer(records: readonly SpoolRecord[]): Promise<void> {
    const fresh = records.filter((record) => record.seq > this.#lastSeq);
    const inOrder = fresh.every((record, index) => record.seq === this.#lastSeq + 1 + index);
    if (this.#reading !== undefined || !inOrder || fresh.some((record) => record.epoch < this.#obeys)) {
      await this.read();
      return;
    }
    const last = fresh.at(-1);
    if (last === undefined) return;
    this.#linked = { epoch: last.epoch, seq: last.seq };
    this.#accept(fresh);
  }

  /**
   * Obeys a bridge from now on. What earlier ones have written by now still counts.
   *
   * @returns false when a later bridge is obeyed already
   */
  async heard(epoch: number): Promise<boolean> {
    if (epoch < this.#obeys) return false;
    if (epoch > this.#obeys) {
      await this.read();
      this.#obeys = Math.max(this.#obeys, epoch);
      for (const [other, file] of this.#files) if (other < epoch) file.sealed = true;
    }
    return true;
  }

  async #readOnce(): Promise<void> {
    do {
      this.#again = false;
      const found: SpoolRecord[] = [];
      for (const epoch of await this.#epochs()) found.push(...(await this.#readFile(epoch)));
      found.sort((a, b) => a.seq - b.seq || b.epoch - a.epoch);
      const accepted = found.filter((record) => this.#mayObey(record));
      if (accepted.length > 0) this.#accept(accepted);
    } while (this.#again);
  }

  async #epochs(): Promise<number[]> {
    const names = (await readdir(this.#folder)).filter((name) => /^\d+\.jsonl$/.test(name));
    return names.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b);
  }

  /** New whole lines of one file. The last line may still be under way; it waits for its end. */
  async #readFile(epoch: number): Promise<SpoolRecord[]> {
    const path = join(this.#folder, `${epoch}.jsonl`);
    const known = this.#files.get(epoch) ?? { offset: 0, lines: 0, first: undefined, sealed: false };
    this.#files.set(epoch, known);
    const content = await readFrom(path, known.offset);
    const length = content.lastIndexOf(NEWLINE) + 1;
    const records: SpoolRecord[] = [];
    for (let start = 0; start < length; ) {
      const end = content.indexOf(NEWLINE, start);
      known.lines += 1;
      const came = this.#cameByLink(content.toString('latin1', start, Math.min(end, start + STAMP_LENGTH)));
      if (came !== undefined) {
        known.first ??= came;
      } else {
        const record = this.#parse(content.toString('utf8', start, end), `${path}:${known.lines}`);
        if (record !== undefined) {
          known.first ??= record.seq;
          records.push(record);
        }
      }
      start = end + 1;
    }
    known.offset += length;
    return records;
  }

  /** Number of a line that the link has brought already: it need not be understood once more. */
  #cameByLink(start: string): number | undefined {
    const [, seq, epoch] = STAMP.exec(start) ?? [];
    const linked = this.#linked;
    if (linked === undefined || Number(epoch) !== linked.epoch || Number(seq) > linked.seq) return undefined;
    return Number(seq);
  }

  #parse(text: string, place: string): SpoolRecord | undefined {
    let seq = -1;
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null && 'seq' in value && Number.isInteger(value.seq)) {
        seq = Number(value.seq);
      }
      return spoolRecordSchema.parse(value);
    } catch (cause) {
      this.#refuse(
        seq,
        new PilothouseError('LOG_DAMAGED', `${place} is nothing that this pilot understands`, {
          hint: 'Pilothouse was updated while the pilot ran: submit it again on a new pilot.',
          evidence: place,
          cause,
        }),
      );
      return undefined;
    }
  }

  #mayObey(record: SpoolRecord): boolean {
    const overtaken =
      this.#files.get(record.epoch)?.sealed === true ||
      [...this.#files].some(([epoch, { first }]) => epoch > record.epoch && first !== undefined && record.seq >= first);
    if (overtaken) {
      this.#refuse(
        record.seq,
        new PilothouseError(
          'OWNERSHIP_MOVED',
          `Pilothouse had been taken over before this was submitted (record ${record.seq})`,
          {
            hint: 'Submit it again.',
            evidence: `record ${record.seq} of epoch ${record.epoch}`,
          },
        ),
      );
    }
    // What came over the link is in the file again.
    return (
      !overtaken && record.seq > this.#lastSeq && !this.#refused.has(`record ${record.seq} of epoch ${record.epoch}`)
    );
  }

  /** Refuses once, also over restarts of the agent. */
  #refuse(seq: number, error: PilothouseError): void {
    const data = toErrorData(error);
    const evidence = data.evidence ?? String(seq);
    if (this.#refused.has(evidence)) return;
    this.#refused.add(evidence);
    this.#listener.refused(seq, data);
  }

  #accept(records: readonly SpoolRecord[]): void {
    for (const record of records) {
      this.#lastSeq = Math.max(this.#lastSeq, record.seq);
      this.#obeys = Math.max(this.#obeys, record.epoch);
    }
    this.#listener.accepted(records);
  }
}

async function readFrom(path: string, offset: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size <= offset) return Buffer.alloc(0);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - offset), 0, size - offset, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
