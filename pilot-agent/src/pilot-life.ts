import { join } from 'node:path';
import {
  type ErrorData,
  PilothouseError,
  type PilotState,
  type PilotUsage,
  type SpoolRecord,
  toErrorData,
} from '@pilothouse/sdk/shared';
import { FunctionRunner } from './functions/function-runner.js';
import { HOST_NAME } from './host-name.js';
import { Link } from './link/link.js';
import { log } from './log.js';
import { GRACE_SECONDS, type NodeContext } from './node-context.js';
import { Efficiency } from './pilot/efficiency.js';
import { Idle } from './pilot/idle.js';
import { type Ordered, Orders } from './pilot/orders.js';
import { Questions } from './pilot/questions.js';
import { Requests } from './pilot/requests.js';
import { watchSpool } from './pilot/spool-watch.js';
import { Offers } from './spool/offers.js';
import { Spool } from './spool/spool.js';
import { Staging } from './staging/staging.js';
import { Supervisor } from './supervisor/supervisor.js';
import type { Accounting } from './tasks/accounting.js';
import { CommandRunner } from './tasks/command-runner.js';
import { Tasks } from './tasks/tasks.js';
import { Walltime } from './tasks/walltime.js';

/** How long a warden may be away before it counts as gone: one of the pair restores the other within a moment. */
const WARDEN_SECONDS = 10;
/** How long a bridge is waited for, at the end, to take the last records. */
const LAST_WORDS_MS = 2000;
const LOOK_MS = 50;
/** How often it says how well it is used, where that has changed. */
const EFFICIENCY_SECONDS = 30;
const IDLE_SECONDS = { withGpus: 15 * 60, without: 60 * 60 };

type PilotEntry = Extract<Parameters<NodeContext['journal']['append']>[0], { type: 'pilot' }>;

/** A pilot from STARTING to its end, as its agent sees it. */
export class PilotLife implements Ordered {
  readonly #context: NodeContext;
  readonly #services: Supervisor;
  readonly #requests: Requests;
  readonly #calls: FunctionRunner;
  readonly #tasks: Tasks;
  readonly #spool: Spool;
  readonly #offers: Offers;
  readonly #orders: Orders;
  readonly #link: Link;
  readonly #walltime: Walltime;
  readonly #idle: Idle;
  readonly #efficiency: Efficiency;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #startedAt: string;
  #state: PilotState;
  #suspended: boolean;
  /** Everything is being ended, not only awaited. */
  #ending = false;
  #acked = 0;
  #unwatch: () => void = () => undefined;
  #over: (ended: boolean) => void = () => undefined;

  constructor(context: NodeContext, accounting: Accounting, epoch: number) {
    this.#context = context;
    const { pilot, past, journal, scheduler, output } = context;
    this.#state = past.pilot?.state ?? 'NEW';
    this.#suspended = past.pilot?.suspended ?? false;
    this.#startedAt = past.pilot?.startedAt ?? new Date().toISOString();
    const endsAt = past.pilot?.endsAt;
    this.#walltime = new Walltime(endsAt ? Date.parse(endsAt) : Date.parse(this.#startedAt) + pilot.runtime * 1000);
    this.#services = new Supervisor(context);
    this.#services.accountTo((account) => accounting.add(account));
    this.#requests = new Requests(context, this.#services, (gateway) => this.#enter(this.#state, { gateway }));
    this.#calls = new FunctionRunner(context);
    const stages = new Staging(join(pilot.runtimeDir, 'p', pilot.id));
    this.#tasks = new Tasks(context, {
      services: this.#services,
      serviceVariables: (task, services) => this.#requests.gateway.variables(task, services),
      commands: new CommandRunner(context, () => HOST_NAME),
      calls: this.#calls,
      stages,
      walltime: this.#walltime,
      accounting,
    });
    this.#services.after(this.#tasks.dependencies);
    this.#services.connection(() => this.#link.connected);
    this.#efficiency = new Efficiency(pilot, () => scheduler.pool.used, {
      seconds: (Date.now() - Date.parse(this.#startedAt)) / 1000,
      share: past.pilot?.efficiency,
    });
    this.#idle = new Idle(pilot.idleAfter ?? (pilot.gpus > 0 ? IDLE_SECONDS.withGpus : IDLE_SECONDS.without), {
      idle: (idle) => this.#enter(this.#state, { idle }),
      over: () => this.#timeOver('IDLE', 'nothing has run for all the time that was given'),
    });
    this.#offers = new Offers(pilot, {
      hasRoom: () => this.#state === 'ACTIVE' && !this.#suspended && scheduler.waiting < Math.max(1, pilot.cores),
      left: () => this.#walltime.left,
      claimed: ({ offer, batch }) => {
        const tasks = batch.tasks.map(({ id }) => id);
        if (!past.claims.has(offer)) journal.append({ type: 'claimed', offer, tasks });
        this.#tasks.submit(batch, { mayMove: true });
      },
    });
    this.#orders = new Orders(
      this,
      { tasks: this.#tasks, services: this.#services, requests: this.#requests, offers: this.#offers },
      past.claims,
    );
    const spoolListener = {
      accepted: (records: readonly SpoolRecord[]) => {
        for (const record of records) this.#orders.obey(record);
      },
      refused: (spoolSeq: number, error: ErrorData) => {
        log(`refused: ${error.message}`);
        journal.append({ type: 'refused', spoolSeq, error });
      },
    };
    this.#spool = new Spool(join(pilot.folder, 'spool'), spoolListener, past.refused);
    const questions = new Questions(this.#tasks, this.#services, output, stages, () => this.#link);
    this.#link = new Link(pilot.folder, {
      pilot: pilot.id,
      epoch,
      position: () => ({ obeys: this.#spool.obeys, journalSeq: journal.written, spoolSeq: this.#spool.lastSeq }),
      welcomed: (bridge) => this.#spool.heard(bridge),
      since: (seq, limit) => journal.since(seq, limit),
      beat: () => ({
        usage: this.#usage(),
        ...this.#services.reports,
        ...this.#requests.reports,
        ...this.#stagingReports(),
      }),
      frame: (frame) => {
        if (frame.type === 'ack') {
          this.#acked = Math.max(this.#acked, frame.seq);
          this.#services.published(frame.seq);
        } else if (frame.type === 'spool') void this.#spool.offer(frame.records);
        else if (frame.type === 'load') this.#services.demanded(frame.services, frame.instances);
        else void questions.answer(frame);
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
    if (this.#state === 'NEW' || this.#state === 'QUEUED') this.#enter('STARTING', { node: HOST_NAME });
    scheduler.setEnd(this.#walltime.endsAt);
    const linking = this.#link.start();
    // Everything known is taken over first, so that what runs keeps its resources before anything new gets some.
    await this.#spool.read();
    this.#orders.caughtUp();
    if (this.#state === 'STARTING') {
      this.#enter('ACTIVE', { node: HOST_NAME, startedAt: this.#startedAt, endsAt: this.#endsAt });
    }
    this.#applySuspension();
    if (past.pilot?.state === 'DRAINING' && !this.#ending)
      this.#goOnEnding(past.pilot.reason?.code, past.pilot.reason?.text);
    this.#walltime.warn({
      lead: 0,
      timeIsShort: () => this.#timeOver('RUNTIME_OVER', 'its runtime is over'),
    });
    this.#unwatch = watchSpool(join(this.#context.pilot.folder, 'spool'), this.#spool);
    this.#tasks.onChange(() => this.#looked());
    this.#services.onChange(() => this.#looked());
    this.#requests.batches.onChange(() => this.#looked());
    this.#looked();
    this.#every(1000, () => this.#watchWarden());
    this.#every(1000, () => this.#efficiency.look());
    this.#every(EFFICIENCY_SECONDS * 1000, () => this.#tellEfficiency());
    await linking;
    return over;
  }

  /** Ends the pilot with everything on it. */
  end(code: string, text: string): void {
    if (this.#ending || !['ACTIVE', 'STARTING', 'DRAINING'].includes(this.#state)) return;
    this.#ending = true;
    this.#enter('DRAINING', { reason: reason(code, text) });
    void this.#finish(this.#endAll(text));
  }

  /** Starts nothing new, or does so again. */
  suspend(suspended: boolean): void {
    if (this.#suspended === suspended) return;
    this.#suspended = suspended;
    this.#enter(this.#state, { suspended });
    this.#applySuspension();
  }

  /** Stays for another idle time. */
  keep(): void {
    this.#idle.keep();
  }

  extend(endsAt: number): void {
    // Read again after a restart, it is nothing new.
    if (endsAt <= this.#walltime.endsAt || this.#ending) return;
    this.#walltime.move(endsAt);
    this.#context.scheduler.setEnd(endsAt);
    this.#enter(this.#state, { endsAt: this.#endsAt });
    this.#offers.pump();
  }

  /** Takes nothing new, and ends when what is here has ended. */
  drain(): void {
    if (this.#state !== 'ACTIVE' && this.#state !== 'STARTING') return;
    this.#enter('DRAINING', { reason: reason('DRAINING', 'it takes nothing new and ends when its tasks have ended') });
    this.#goOnDraining();
  }

  #applySuspension(): void {
    const { scheduler } = this.#context;
    if (this.#suspended) {
      scheduler.hold({ code: 'SUSPENDED', text: 'this pilot starts nothing new until it is resumed' });
      return;
    }
    scheduler.begin();
    this.#offers.pump();
  }

  #goOnDraining(): void {
    this.#offers.close();
    // Services have no end of their own: they stay for the tasks that use them, and no longer.
    void this.#tasks
      .empty()
      .then(() => this.#requests.batches.empty())
      .then(() => this.#services.unheld())
      .then(() => {
        if (!this.#ending) this.end('DRAINED', 'all its tasks have ended');
      });
  }

  /** Ends without a wish of anybody's: what has not started is left to another pilot. */
  #timeOver(code: string, text: string): void {
    if (this.#ending || (this.#state !== 'ACTIVE' && this.#state !== 'DRAINING')) return;
    this.#ending = true;
    this.#enter('DRAINING', { reason: reason(code, text) });
    this.#cutOff(text);
  }

  #cutOff(text: string): void {
    const ended = Promise.all([this.#requests.batches.timeOver(), this.#tasks.timeOver()]);
    void this.#finish(ended.then(() => this.#services.endAll(text)));
  }

  #goOnEnding(code: string | undefined, text = 'it was ended'): void {
    if (code === 'DRAINING') {
      this.#goOnDraining();
      return;
    }
    this.#ending = true;
    if (code === 'RUNTIME_OVER' || code === 'IDLE') this.#cutOff(text);
    else void this.#finish(this.#endAll(text));
  }

  /** Batches keep services, so they end first; what they have on the way to the disk is little. */
  #endAll(text: string): Promise<unknown> {
    const batches = this.#requests.batches.endAll(text).then(() => this.#services.endAll(text));
    return Promise.all([this.#tasks.endAll(text), batches]);
  }

  async #finish(ended: Promise<unknown>): Promise<void> {
    this.#offers.close();
    this.#idle.close();
    await ended;
    await this.#requests.close();
    this.#calls.close();
    await this.#context.warden.sweep(GRACE_SECONDS);
    await this.#tasks.close();
    this.#efficiency.look();
    const last = this.#enter('DONE', { reason: null, idle: null, efficiency: this.#efficiency.share });
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

  #tellEfficiency(): void {
    const { changed, share } = this.#efficiency;
    if (changed && !this.#ending) this.#enter(this.#state, { efficiency: share });
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
    await this.#tasks.close();
    const last = this.#enter('FAILED', { error: toErrorData(error) });
    await this.#context.journal.flush();
    await this.#sayLastWords(last);
    this.#close(false);
  }

  #close(ended: boolean): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#unwatch();
    this.#idle.close();
    this.#walltime.close();
    this.#link.close();
    this.#context.warden.close();
    void this.#context.journal.close().then(() => this.#over(ended));
  }

  /** Something has come or gone. */
  #looked(): void {
    const busy = this.#tasks.size > 0 || this.#services.live > 0 || this.#requests.batches.live > 0;
    this.#idle.look(busy || this.#ending);
    this.#offers.pump();
  }

  #every(milliseconds: number, work: () => void): void {
    this.#timers.push(setInterval(work, milliseconds));
  }

  get #endsAt(): string {
    return new Date(this.#walltime.endsAt).toISOString();
  }

  #usage(): PilotUsage {
    const { used } = this.#context.scheduler.pool;
    const { running, done, failed } = this.#tasks.usage;
    return {
      ...used,
      running: running + this.#services.running,
      waiting: this.#tasks.waiting + this.#services.waiting,
      done,
      failed,
    };
  }

  #stagingReports() {
    const { staging } = this.#tasks;
    if (staging.size === 0) return {};
    return { staging: Object.fromEntries([...staging].map(([id, reports]) => [id, [...reports]])) };
  }

  #enter(state: PilotState, details: Partial<Omit<PilotEntry, 'type' | 'state'>>): number {
    this.#state = state;
    return this.#context.journal.append({ type: 'pilot', state, ...details });
  }
}

function reason(code: string, text: string): NonNullable<PilotEntry['reason']> {
  return { code, text, since: new Date().toISOString() };
}
