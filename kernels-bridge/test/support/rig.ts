import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { JournalRecord, SpoolRecord, TaskState } from '@pilothouse/sdk/internal';
import { systemClock } from '../../src/clock.js';
import { resolveConfig } from '../../src/config.js';
import type { Context } from '../../src/context.js';
import type { Engine, PilotSpec } from '../../src/engines/engine.js';
import { EngineRegistry } from '../../src/engines/registry.js';
import { AgentLink } from '../../src/link/agent-link.js';
import { JournalIntake } from '../../src/link/journal-intake.js';
import type { Logger } from '../../src/logger.js';
import { createManagers, type Managers } from '../../src/managers/managers.js';
import { Names } from '../../src/managers/names.js';
import { applyJournal } from '../../src/picture/apply-journal.js';
import { applyLog } from '../../src/picture/apply-log.js';
import { Keys } from '../../src/picture/keys.js';
import { Picture } from '../../src/picture/picture.js';
import { SpoolWriter } from '../../src/spool/spool-writer.js';
import { Cache } from '../../src/store/cache.js';
import { CacheWriter } from '../../src/store/cache-writer.js';
import { EventLog } from '../../src/store/event-log.js';
import type { Position } from '../../src/store/position.js';
import { repairSpools } from '../../src/store/repair-spool.js';
import { loadCache, replayLogs } from '../../src/store/restore.js';

/** A bridge without its sockets, over the same files as a real one; dropped, it leaves what a killed one leaves. */
export class Rig {
  #alive = true;

  private constructor(
    readonly context: Context,
    readonly managers: Managers,
    /** What went wrong that nobody waited for. */
    readonly complaints: string[],
    private readonly cache: Cache,
    private readonly cacheWriter: CacheWriter,
  ) {}

  static async start(home: string, epoch: number): Promise<Rig> {
    await Promise.all(['log', 'pilots'].map((name) => mkdir(join(home, name), { recursive: true })));
    const config = resolveConfig({ ...process.env, PILOTHOUSE_HOME: home, PILOTHOUSE_RUNTIME_DIR: home });
    const clock = systemClock;
    const complaints: string[] = [];
    const log: Logger = {
      info: () => undefined,
      warn: () => undefined,
      error: (text, error) => {
        if (rig === undefined || rig.#alive) complaints.push(`${text}: ${String(error)}`);
      },
    };
    let rig: Rig | undefined;
    const picture = new Picture();
    const keys = new Keys();
    const names = new Names(picture);
    const owner = { epoch, assertHeld: () => Promise.resolve() };
    const events = new EventLog(home, owner, clock, (record) => applyLog(picture, keys, record));
    const spool = new SpoolWriter(home, epoch, clock);
    const intake = new JournalIntake(home, (pilot, record) => applyJournal(picture, pilot, record));
    const engines = new EngineRegistry([folderEngine(home)]);
    const cache = Cache.open(join(home, 'cache.sqlite'));
    const stored = { home, cache, picture, keys, events, intake, log };
    const cached = await loadCache(stored);
    let logs: ReadonlyMap<string, number> | null = null;
    const position = (): Position | null =>
      logs && {
        home,
        logSeq: events.seq,
        logs: { ...Object.fromEntries(logs), [events.position.name]: events.position.offset },
        journals: Object.fromEntries([...picture.list('pilot')].map(({ id }) => [id, intake.position(id)])),
      };
    const cacheWriter = new CacheWriter(cache, picture, keys, position, log);
    logs = await replayLogs(stored, cached, clock.iso());
    await repairSpools(home, picture, spool);
    const link = new AgentLink(join(home, 'agents.ipc'), epoch, log, {
      known: () => true,
      have: () => 0,
      frame: () => undefined,
      contact: () => undefined,
    });
    const context = { config, clock, log, epoch, picture, keys, names, events, spool, link, intake, engines };
    const managers = createManagers(context);
    await managers.mover.adopt();
    rig = new Rig(context, managers, complaints, cache, cacheWriter);
    return rig;
  }

  /** Waits for what follows by itself from what has been done. */
  async quiet(): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      await nextTurn();
      await this.managers.mover.settled();
    }
    await delay(2);
  }

  /** @param flush - have the cache written before */
  async kill(flush: boolean): Promise<void> {
    await this.quiet();
    if (flush) await this.cacheWriter.flush();
    // What a dead process would not have said either.
    this.#alive = false;
    this.managers.close();
    await this.context.events.close();
    await this.context.spool.closeAll();
    await this.context.link.close();
    this.cache.close();
  }

  /** Reads what an agent has written. */
  async read(pilot: string): Promise<void> {
    await this.context.intake.readFiles(pilot);
    if (this.context.picture.get('pilot', pilot)?.endedAt !== null) this.managers.pilots.ended(pilot);
    await this.quiet();
  }
}

/** An agent as far as its files go: takes what stands in its spool, and says how it ended. */
export class ScriptedAgent {
  readonly #waiting = new Map<string, string | undefined>();
  #read = 0;
  #seq = 0;
  ended = false;
  /** How often each task was run here. */
  readonly ran: string[] = [];

  /** @param claims - which pilot has taken which offer: what the files in `claims/` are */
  constructor(
    private readonly home: string,
    readonly pilot: string,
    private readonly claims: Map<string, string>,
  ) {}

  /** Runs up to so many tasks to their end. @returns how many there were */
  async run(count: number, states: readonly TaskState[]): Promise<number> {
    if (this.ended) return 0;
    await this.#take();
    if (this.#seq === 0) await this.#write({ type: 'pilot', state: 'ACTIVE' });
    let done = 0;
    for (const [id, offer] of this.#waiting) {
      if (done >= count) break;
      this.#waiting.delete(id);
      if (offer !== undefined && !(await this.#claim(offer))) continue;
      const state = states[done % states.length] ?? 'DONE';
      done += 1;
      this.ran.push(id);
      await this.#write({ type: 'task', id, state: 'RUNNING', attempt: 1 });
      await this.#write({ type: 'task', id, state, exitCode: state === 'DONE' ? 0 : 1 });
    }
    return done;
  }

  /** Its time is over: nothing more is started. */
  async end(): Promise<void> {
    if (this.#seq === 0) await this.#write({ type: 'pilot', state: 'ACTIVE' });
    if (!this.ended) await this.#write({ type: 'pilot', state: 'DONE' });
    this.ended = true;
  }

  async #claim(offer: string): Promise<boolean> {
    const owner = this.claims.get(offer);
    if (owner !== undefined) return owner === this.pilot;
    this.claims.set(offer, this.pilot);
    const tasks = [...this.#waiting].filter(([, other]) => other === offer).map(([id]) => id);
    await this.#write({ type: 'claimed', offer, tasks: [...tasks, ...this.#offered(offer)] });
    return true;
  }

  readonly #offers = new Map<string, string[]>();
  #offered(offer: string): string[] {
    return this.#offers.get(offer) ?? [];
  }

  async #take(): Promise<void> {
    const folder = join(this.home, 'pilots', this.pilot, 'spool');
    const records: SpoolRecord[] = [];
    for (const name of await readdir(folder)) {
      const text = await readFile(join(folder, name), 'utf8');
      for (const line of text.split('\n')) if (line !== '') records.push(JSON.parse(line));
    }
    for (const record of records.sort((a, b) => a.seq - b.seq)) {
      if (record.seq <= this.#read) continue;
      this.#read = record.seq;
      if (record.type === 'tasks') {
        for (const { id } of record.batch.tasks) this.#waiting.set(id, record.offer);
        if (record.offer !== undefined)
          this.#offers.set(
            record.offer,
            record.batch.tasks.map(({ id }) => id),
          );
      }
      if (record.type === 'cancel-tasks') await this.#cancel(record.tasks, record.set);
    }
  }

  async #cancel(tasks: readonly string[] = [], set?: string): Promise<void> {
    for (const [id, offer] of this.#waiting) {
      if (!tasks.includes(id) && (set === undefined || !id.startsWith(`${set}.`))) continue;
      this.#waiting.delete(id);
      if (offer === undefined) await this.#write({ type: 'task', id, state: 'CANCELED' });
    }
  }

  async #write(record: Unstamped): Promise<void> {
    this.#seq += 1;
    const line = JSON.stringify({ seq: this.#seq, epoch: 1, t: new Date().toISOString(), ...record });
    await appendFile(join(this.home, 'pilots', this.pilot, 'journal', '1.jsonl'), `${line}\n`);
  }
}

type Unstamped = JournalRecord extends infer R
  ? R extends JournalRecord
    ? Omit<R, 'seq' | 'epoch' | 't'>
    : never
  : never;

/** An engine that makes folders and starts nothing. */
function folderEngine(home: string): Engine {
  const known = new Set<string>();
  return {
    name: 'local',
    capabilities: () => Promise.reject(new Error('not asked')),
    check: () => Promise.resolve(),
    preview: () => Promise.resolve({ sentence: '', script: '' }),
    submit: async ({ id }: PilotSpec) => {
      known.add(id);
      for (const name of ['spool', 'journal']) await mkdir(join(home, 'pilots', id, name), { recursive: true });
    },
    cancel: () => Promise.resolve(false),
    adopt: () => Promise.resolve(),
    release: () => undefined,
    expectEnd: () => undefined,
    examine: () => Promise.resolve({ verdict: 'unknown', evidence: '' }),
    attend: () => Promise.resolve(),
    list: () => [],
    events: () => () => undefined,
    explain: () => null,
  };
}
