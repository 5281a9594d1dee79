import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type InstanceState, instanceStates, type JournalRecord } from '@pilothouse/sdk/shared';
import { describe, expect, it } from 'vitest';
import { type SpoolEntry, TestPilot, until } from './pilot.js';

const SCRIPT = new URL('./servers/service.py', import.meta.url).pathname;
const STEPS = 12;
const MOST = 4;
const SEEDS = [20261, 7, 99];

type InstanceEntry = Extract<JournalRecord, { type: 'instance' }>;

/** Numbers that look random and are the same for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** One service that is scaled, drained and restarted, while its agent and its processes are killed. */
class Life {
  readonly pilot = new TestPilot();
  readonly #random: (below: number) => number;
  /** What has been done, for whoever reads of a failure. */
  readonly story: string[] = [];
  #wanted = 2;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  get #log(): string {
    return join(this.pilot.work, 'starts');
  }

  async run(): Promise<void> {
    const { pilot } = this;
    const command = ['/usr/bin/python3', SCRIPT, '{port}', '--log', this.#log];
    pilot.spool([
      pilot.service('llm', command, {
        instances: [1, 2].map((index) => ({ id: `llm.${index}`, index })),
        restarts: { max: 50, first: 0.05, factor: 1, longest: 1 },
      }),
    ]);
    pilot.start();
    await until('its first instances are ready', () => this.#ready.length === 2, this.#explain);
    for (let step = 0; step < STEPS; step += 1) await this.#step();
    this.#order({ type: 'scale', service: 'llm', min: 2, max: 2 });
    this.#wanted = 2;
    await until('two are ready in the end', () => this.#ready.length === 2 && this.#live.length === 2, this.#explain);
    this.#check();
    this.#order({ type: 'drain', service: 'llm' });
    await until('nothing is left', () => this.#live.length === 0, this.#explain);
    this.#check();
    const keys = join(pilot.folder, 'services');
    await until('no key is left', () => !existsSync(keys) || readdirSync(keys).length === 0, this.#explain);
    expect(pilot.running(`PILOTHOUSE_PILOT=${pilot.id}`).filter((pid) => this.#starts.includes(pid))).toEqual([]);
    await pilot.end();
  }

  async #step(): Promise<void> {
    const kinds = ['scale', 'drain', 'restart', 'restart-one', 'kill-agent', 'kill-process'] as const;
    const kind = kinds[this.#random(kinds.length)] ?? 'scale';
    const [victim] = this.#live.slice(this.#random(Math.max(1, this.#live.length)));
    if (kind === 'scale') {
      this.#wanted = 1 + this.#random(MOST);
      this.#order({ type: 'scale', service: 'llm', min: this.#wanted, max: this.#wanted });
    } else if (kind === 'drain' && victim && this.#live.length > 1) {
      this.#order({ type: 'drain', service: 'llm', instance: victim });
    } else if (kind === 'restart') {
      this.#order({ type: 'restart', service: 'llm' });
    } else if (kind === 'restart-one' && victim) {
      this.#order({ type: 'restart', service: 'llm', instance: victim });
    } else if (kind === 'kill-agent') {
      await this.#killAgent();
    } else if (kind === 'kill-process') {
      const pid = this.#starts.at(-1);
      if (pid !== undefined) this.#kill(pid, `process ${pid}`);
    }
    // Nothing is waited for but that what was ordered is seen: the next step comes in the middle of this one.
    const records = this.pilot.journal().length;
    await until('something is written down', () => this.pilot.journal().length > records, this.#explain, 2).catch(
      () => undefined,
    );
    this.#check();
  }

  async #killAgent(): Promise<void> {
    const [agent] = this.pilot.agents();
    if (agent === undefined) return;
    this.#kill(agent, 'agent');
    await until('another agent runs', () => this.pilot.agents().some((pid) => pid !== agent), this.#explain);
  }

  #kill(pid: number, what: string): void {
    this.story.push(`kill ${what}`);
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      this.story.push(`${what} was gone`);
    }
  }

  #order(entry: SpoolEntry): void {
    this.story.push(JSON.stringify(entry));
    this.pilot.spool([entry]);
  }

  /** What must be true at any time. */
  #check(): void {
    const states = new Map<string, InstanceState>();
    for (const { id, state } of this.#records) {
      const before = states.get(id);
      if (before !== undefined && instanceStates.isFinal(before)) {
        throw new Error(`${id} is ${state} after ${before}\n${this.#explain()}`);
      }
      states.set(id, state);
    }
    // Each process writes its line once; of one instance no two live at a time.
    const alive = new Map<string, number[]>();
    for (const pid of new Set(this.#starts)) {
      const environ = environOf(pid);
      if (!environ.includes(`PILOTHOUSE_PILOT=${this.pilot.id}`)) continue;
      const id = environ.find((one) => one.startsWith('PILOTHOUSE_TASK_ID='))?.split('=')[1] ?? '';
      alive.set(id, [...(alive.get(id) ?? []), pid]);
    }
    for (const [id, pids] of alive) expect(pids, `${id}\n${this.#explain()}`).toHaveLength(1);
    expect(this.#staying.length, this.#explain()).toBeLessThanOrEqual(MOST);
  }

  get #records(): InstanceEntry[] {
    return this.pilot.instances('llm');
  }

  get #last(): Map<string, InstanceEntry> {
    const last = new Map<string, InstanceEntry>();
    for (const record of this.#records) last.set(record.id, { ...last.get(record.id), ...record });
    return last;
  }

  get #live(): string[] {
    return [...this.#last].flatMap(([id, { state }]) => (instanceStates.isFinal(state) ? [] : [id]));
  }

  get #ready(): string[] {
    return [...this.#last].flatMap(([id, { state, draining }]) => (state === 'READY' && !draining ? [id] : []));
  }

  /** Those that are not on their way out. */
  get #staying(): string[] {
    return [...this.#last].flatMap(([id, { state, draining }]) =>
      instanceStates.isFinal(state) || state === 'STOPPING' || draining ? [] : [id],
    );
  }

  /** Pids of all processes that were ever started. */
  get #starts(): number[] {
    if (!existsSync(this.#log)) return [];
    return readFileSync(this.#log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[0]));
  }

  readonly #explain = (): string => {
    const last = [...this.#last].map(([id, { state, draining }]) => `${id} ${state}${draining ? ' draining' : ''}`);
    return `${this.story.join('\n')}\nwanted ${this.#wanted}\n${last.join('\n')}\n${this.pilot.log()}`;
  };
}

function environOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return []; // gone
  }
}

describe('whatever is ordered and whoever is killed', () => {
  it.concurrent.each(SEEDS)('no instance runs twice, none comes back, nothing is left (seed %i)', async (seed) => {
    const life = new Life(seed);
    try {
      await life.run();
    } finally {
      life.pilot.destroy();
    }
  });
});
