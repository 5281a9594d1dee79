import { mkdtemp, rm } from 'node:fs/promises';
import type { TaskOutcome, TaskState } from '@pilothouse/sdk/internal';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newKey, origin } from './support/bridge.js';
import { Rig, ScriptedAgent } from './support/rig.js';

type Step =
  | { readonly do: 'open' }
  | { readonly do: 'add'; readonly set: number; readonly back: number; readonly count: number }
  | { readonly do: 'cancel'; readonly set: number }
  | { readonly do: 'pilot' }
  | { readonly do: 'run'; readonly pilot: number; readonly count: number; readonly fail: boolean }
  | { readonly do: 'end'; readonly pilot: number }
  | { readonly do: 'read'; readonly pilot: number }
  | { readonly do: 'follow'; readonly set: number }
  | { readonly do: 'kill'; readonly flush: boolean };

const few = fc.nat(3);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('add' as const), set: few, back: few, count: fc.nat(12) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), set: few }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('pilot' as const) }) },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant('run' as const), pilot: few, count: fc.nat(8), fail: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), pilot: few }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), pilot: few }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('follow' as const), set: few }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), flush: fc.boolean() }) },
  ),
  { minLength: 15, maxLength: 60 },
);

interface KnownSet {
  readonly id: string;
  total: number;
  canceled: boolean;
  readonly told: TaskOutcome[];
}

/** A session of somebody whose bridge is killed again and again. */
class Story {
  readonly #claims = new Map<string, string>();
  readonly sets: KnownSet[] = [];
  readonly agents: ScriptedAgent[] = [];
  #epoch = 1;

  private constructor(
    readonly home: string,
    public rig: Rig,
  ) {}

  static async begin(): Promise<Story> {
    const home = await mkdtemp('/tmp/php-');
    return new Story(home, await Rig.start(home, 1));
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'open': {
        const key = newKey();
        const description = { name: 'set', template: { command: ['x'] }, resume: false };
        const { id } = await this.rig.managers.sets.open(description, { origin, key });
        expect((await this.rig.managers.sets.open(description, { origin, key })).id).toBe(id);
        this.sets.push({ id, total: 0, canceled: false, told: [] });
        return;
      }
      case 'add': {
        const set = this.sets[step.set];
        if (set === undefined || set.canceled) return;
        const from = Math.max(0, set.total - step.back);
        const addition = { set: set.id, from, tasks: Array(step.count).fill({}), close: false };
        const [once, twice] = await Promise.all([
          this.rig.managers.sets.add(addition),
          this.rig.managers.sets.add(addition),
        ]);
        set.total = Math.max(set.total, from + step.count);
        expect([once.total, twice.total]).toEqual([set.total, set.total]);
        return;
      }
      case 'cancel': {
        const set = this.sets[step.set];
        if (set !== undefined) await this.rig.managers.sets.cancel(set.id);
        if (set !== undefined) set.canceled = true;
        return;
      }
      case 'pilot':
        return this.pilot();
      case 'run':
        await this.agents[step.pilot]?.run(step.count, step.fail ? ['DONE', 'FAILED'] : ['DONE']);
        return;
      case 'end':
        return this.agents[step.pilot]?.end();
      case 'read': {
        const agent = this.agents[step.pilot];
        return agent && this.rig.read(agent.pilot);
      }
      case 'follow':
        return this.#follow(this.sets[step.set]);
      case 'kill':
        expect(this.rig.complaints.join('\n')).toBe('');
        await this.rig.kill(step.flush);
        this.#epoch += 1;
        this.rig = await Rig.start(this.home, this.#epoch);
    }
  }

  async pilot(): Promise<void> {
    const description = { engine: 'local' as const, cores: 2, gpus: 0, nodes: 1, runtime: '1h' };
    const { id } = await this.rig.managers.pilots.submit(description, { origin, key: newKey() });
    await this.rig.context.events.append([{ type: 'pilot.state', id, state: 'STARTING', reason: null, error: null }]);
    this.agents.push(new ScriptedAgent(this.home, id, this.#claims));
    await this.rig.quiet();
  }

  /** Takes what there is now, from where it stands; what was told before must never come otherwise. */
  async #follow(set: KnownSet | undefined): Promise<void> {
    if (set === undefined) return;
    const source = this.rig.managers.sets.results(set.id, 0);
    const all: TaskOutcome[] = [];
    while (source.hasMore) all.push(...((await source.next(AbortSignal.timeout(5000)))?.outcomes ?? []));
    source.close();
    expect(all.slice(0, set.told.length).map(brief)).toEqual(set.told.map(brief));
    set.told.splice(0, set.told.length, ...all);
  }

  /** Lets everything come to its end, and looks at what came of it. */
  async finish(): Promise<void> {
    await this.pilot();
    for (const set of this.sets) {
      if (!set.canceled) await this.rig.managers.sets.add({ set: set.id, from: set.total, tasks: [], close: true });
    }
    for (let progress = true; progress; ) {
      progress = false;
      await this.rig.quiet();
      for (const agent of this.agents) {
        progress = (await agent.run(1000, ['DONE'])) > 0 || progress;
        await this.rig.read(agent.pilot);
      }
    }
    await this.rig.quiet();
    for (const set of this.sets) {
      await this.#follow(set);
      expect(set.told.map(({ index }) => index)).toEqual(set.told.map((_, index) => index));
      expect(new Set(set.told.map(({ number }) => number)).size).toBe(set.total);
      const record = this.rig.managers.sets.get(set.id);
      const count = (state: TaskState): number => set.told.filter((one) => one.state === state).length;
      expect(record.counts).toMatchObject({
        total: set.total,
        waiting: 0,
        running: 0,
        done: count('DONE'),
        failed: count('FAILED'),
        canceled: count('CANCELED'),
      });
      expect(record.endedAt).not.toBeNull();
    }
    const ran = this.agents.flatMap((agent) => agent.ran);
    expect(new Set(ran).size).toBe(ran.length);
  }

  async close(): Promise<void> {
    await this.rig.kill(false);
    await rm(this.home, { recursive: true, force: true });
  }
}

function brief({ index, id, state }: TaskOutcome): string {
  return `${index} ${id} ${state}`;
}

it('whatever happens to the bridge, each task of a set is told once, in the same place ever after', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const story = await Story.begin();
      try {
        for (const step of script) await story.step(step);
        await story.finish();
        expect(story.rig.complaints.join('\n')).toBe('');
      } finally {
        await story.close();
      }
    }),
    { numRuns: Number(process.env.PILOTHOUSE_TEST_RUNS ?? 10), seed: 4 },
  );
}, 120_000);
