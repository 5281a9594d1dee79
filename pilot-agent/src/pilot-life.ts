import { watch } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  PilothouseError,
  type PilotState,
  type PilotUsage,
  type SpoolRecord,
  toErrorData,
} from '@pilothouse/sdk/shared';
import { Link } from './link/link.js';
import { log } from './log.js';
import { GRACE_SECONDS, type NodeContext } from './node-context.js';
import type { OutputStream } from './output/output.js';
import { Spool } from './spool/spool.js';
import { Supervisor } from './supervisor/supervisor.js';
import { Tasks } from './tasks/tasks.js';

/** How often the spool is looked at beside the link's nudges. */
const SPOOL_SECONDS = 5;
/** How long a warden may be away before it counts as gone: one of the pair restores the other within a moment. */
const WARDEN_SECONDS = 10;
/** How long a bridge is waited for, at the end, to take the last records. */
const LAST_WORDS_MS = 2000;
const LOOK_MS = 50;
/** `setTimeout` takes no longer times. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A pilot from STARTING to its end, as its agent sees it. */
export class PilotLife {
  readonly #context: NodeContext;
  readonly #services: Supervisor;
  readonly #tasks: Tasks;
  readonly #spool: Spool;
  readonly #link: Link;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #startedAt: string;
  readonly #endsAt: string;
  #state: PilotState;
  #acked = 0;
  #over: (ended: boolean) => void = () => undefined;

  constructor(context: NodeContext, epoch: number) {
    this.#context = context;
    const { pilot, past, journal } = context;
    this.#state = past.pilot?.state ?? 'NEW';
    this.#startedAt = past.pilot?.startedAt ?? new Date().toISOString();
    this.#endsAt = past.pilot?.endsAt ?? new Date(Date.parse(this.#startedAt) + pilot.runtime * 1000).toISOString();
    this.#services = new Supervisor(context);
    this.#tasks = new Tasks(context, this.#services);
    this.#spool = new Spool(
      join(pilot.folder, 'spool'),
      {
        accepted: (records) => {
          for (const record of records) this.#obey(record);
        },
        refused: (spoolSeq, error) => {
          log(`refused: ${error.message}`);
          journal.append({ type: 'refused', spoolSeq, error });
        },
      },
      past.refused,
    );
    this.#link = new Link(pilot.folder, {
      pilot: pilot.id,
      epoch,
      position: () => ({ obeys: this.#spool.obeys, journalSeq: journal.written, spoolSeq: this.#spool.lastSeq }),
      welcomed: (bridge) => this.#spool.heard(bridge),
      since: (seq, limit) => journal.since(seq, limit),
      beat: () => ({ usage: this.#usage(), probes: this.#services.probes }),
      frame: (frame) => {
        if (frame.type === 'ack') {
          this.#acked = Math.max(this.#acked, frame.seq);
          this.#services.published(frame.seq);
        } else if (frame.type === 'spool') void this.#spool.offer(frame.records);
        else if (frame.type === 'log') void this.#readLog(frame.re, frame.id, frame.stream, frame.offset, frame.limit);
        else void this.#probe(frame.re, frame.instances);
      },
    });
    journal.onWritten(() => this.#link.pump());
  }

  /** Resolves at the end of the pilot: true when everything on it is gone, false when the warden is. */
  async run(): Promise<boolean> {
    const over = new Promise<boolean>((resolve) => {
      this.#over = resolve;
    });
    const { past, scheduler } = this.#context;
    if (this.#state === 'NEW' || this.#state === 'QUEUED') this.#enter('STARTING', { node: hostname() });
    const linking = this.#link.start();
    // Everything known is taken over first, so that what runs keeps its resources before anything new gets some.
    await this.#spool.read();
    if (this.#state === 'STARTING') {
      this.#enter('ACTIVE', { node: hostname(), startedAt: this.#startedAt, endsAt: this.#endsAt });
    }
    scheduler.begin();
    if (past.pilot?.state === 'DRAINING') void this.#drain(past.pilot.reason?.text ?? 'it was ended');
    this.#endInTime();
    this.#readSpoolAsItGrows();
    this.#every(1000, () => this.#watchWarden());
    await linking;
    return over;
  }

  /** Ends the pilot with everything on it. */
  end(code: string, text: string): void {
    if (this.#state !== 'ACTIVE' && this.#state !== 'STARTING') return;
    this.#enter('DRAINING', { reason: { code, text, since: new Date().toISOString() } });
    void this.#drain(text);
  }

  #obey(record: SpoolRecord): void {
    switch (record.type) {
      case 'task':
        this.#tasks.submit(record.task);
        break;
      case 'service':
        this.#services.submit(record.service);
        break;
      case 'cancel':
        this.#tasks.cancel(record.task);
        break;
      case 'stop':
        this.#services.stop(record.service);
        break;
      case 'end':
        this.end('ENDED', 'it was ended');
        break;
    }
  }

  async #drain(why: string): Promise<void> {
    await Promise.all([this.#tasks.endAll(why), this.#services.endAll(why)]);
    await this.#context.warden.sweep(GRACE_SECONDS);
    const last = this.#enter('DONE', { reason: null });
    await this.#context.journal.flush();
    await this.#sayLastWords(last);
    this.#close(true);
  }

  /** Gives a bridge that is there the time to take the last record; another one finds it in the file. */
  async #sayLastWords(seq: number): Promise<void> {
    const until = performance.now() + LAST_WORDS_MS;
    while (this.#link.connected && this.#acked < seq && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  #watchWarden(): void {
    const { goneSince } = this.#context.warden;
    if (goneSince === undefined || performance.now() - goneSince < WARDEN_SECONDS * 1000) return;
    const error = new PilothouseError('NODE_LOST', 'what watched over the tasks of this pilot was killed', {
      hint: 'Start a new pilot; look at what the tasks have written before you submit them again.',
      ids: { pilot: this.#context.pilot.id },
    });
    log('the warden is gone for good', error);
    void this.#loseEverything(error);
  }

  async #loseEverything(error: PilothouseError): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const { endEverything } = await import('./launcher/last-resort.js');
    await endEverything(this.#context.pilot.id, GRACE_SECONDS);
    this.#tasks.loseAll();
    this.#services.loseAll();
    const last = this.#enter('FAILED', { error: toErrorData(error) });
    await this.#context.journal.flush();
    await this.#sayLastWords(last);
    this.#close(false);
  }

  #close(ended: boolean): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#link.close();
    this.#context.warden.close();
    void this.#context.journal.close().then(() => this.#over(ended));
  }

  /** Work needs no bridge that nudges: the file system does, and where it cannot (another node writes), time does. */
  #readSpoolAsItGrows(): void {
    const watcher = watch(join(this.#context.pilot.folder, 'spool'), () => void this.#readSpool());
    watcher.on('error', (error) => log('the spool is not watched; it is looked at from time to time', error));
    watcher.unref();
    this.#every(SPOOL_SECONDS * 1000, () => void this.#readSpool());
  }

  async #readSpool(): Promise<void> {
    try {
      await this.#spool.read();
    } catch (error) {
      log('the spool cannot be read; trying again', error);
    }
  }

  #endInTime(): void {
    const left = Date.parse(this.#endsAt) - Date.now();
    const timer = setTimeout(
      () => {
        if (Date.parse(this.#endsAt) > Date.now()) this.#endInTime();
        else this.end('RUNTIME_OVER', 'its runtime is over');
      },
      Math.min(Math.max(0, left), LONGEST_TIMER_MS),
    );
    this.#timers.push(timer);
  }

  #every(milliseconds: number, work: () => void): void {
    this.#timers.push(setInterval(work, milliseconds));
  }

  #usage(): PilotUsage {
    const { used } = this.#context.scheduler.pool;
    const { running, done, failed } = this.#tasks.usage;
    return {
      ...used,
      running: running + this.#services.running,
      waiting: this.#tasks.waiting + this.#context.scheduler.waiting,
      done,
      failed,
    };
  }

  async #readLog(re: number, id: string, stream: OutputStream, offset: number, limit: number): Promise<void> {
    try {
      const expected = this.#tasks.has(id) || this.#services.has(id);
      const log = await this.#context.output.read(id, stream, offset, limit, expected);
      this.#link.reply({ type: 'reply', re, log });
    } catch (error) {
      this.#link.reply({ type: 'reply', re, error: toErrorData(error) });
    }
  }

  async #probe(re: number, instances: readonly string[]): Promise<void> {
    await this.#services.probeNow(instances);
    this.#link.beat();
    this.#link.reply({ type: 'reply', re });
  }

  #enter(
    state: PilotState,
    details: Partial<
      Omit<Extract<Parameters<NodeContext['journal']['append']>[0], { type: 'pilot' }>, 'type' | 'state'>
    >,
  ): number {
    this.#state = state;
    return this.#context.journal.append({ type: 'pilot', state, ...details });
  }
}
