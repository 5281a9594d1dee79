import { type TaskState, taskStates } from '@pilothouse/sdk/shared';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunEnd } from '../src/tasks/runner.js';
import { FakeNode } from './fake-node.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const ENDS: readonly RunEnd[] = [
  { ok: true, kind: 'exit', exitCode: 0 },
  { ok: false, kind: 'exit', exitCode: 3 },
  { ok: false, kind: 'signal', signal: 'SIGSEGV' },
  { ok: false, kind: 'lost' },
  { ok: false, kind: 'start' },
];

const task = fc.record({
  cores: fc.integer({ min: 0, max: 4 }),
  retries: fc.integer({ min: 0, max: 2 }),
  staged: fc.boolean(),
  limited: fc.boolean(),
  /** How many tasks before this one it waits for; 0: for none. */
  after: fc.integer({ min: 0, max: 3 }),
  when: fc.constantFrom('done' as const, 'finished' as const, 'failed' as const),
});
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('submit' as const), task }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('start' as const), which: fc.nat(9) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(9), end: fc.constantFrom(...ENDS) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('staged' as const), well: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function run(node: FakeNode, one: Step, ids: string[]): Promise<void> {
  switch (one.do) {
    case 'submit': {
      const id = `s.${ids.length}`;
      const { cores, retries, staged, limited, after, when } = one.task;
      const before = after === 0 ? undefined : ids.at(-after);
      const directives = staged ? [{ from: 'x', to: './' }] : [];
      const entry = {
        cores,
        retries,
        stageIn: directives,
        stageOut: directives,
        ...(limited ? { maxDuration: '5s' } : {}),
      };
      node.submit({
        set: 's',
        template: { command: ['true'] },
        env: {},
        cwd: '/nowhere',
        tasks: [{ id, name: id, entry, ...(before ? { after: [{ task: before, when }] } : {}) }],
      });
      ids.push(id);
      break;
    }
    case 'start': {
      const run = [...node.runs.values()][one.which];
      if (run && !run.started && !run.ended) {
        run.started = true;
        run.watcher.started(1);
      }
      break;
    }
    case 'end': {
      const runId = [...node.runs.keys()][one.which];
      if (runId) node.end(runId, one.end);
      break;
    }
    case 'cancel': {
      const id = ids[one.which];
      if (id) node.tasks.cancel([id], undefined);
      break;
    }
    case 'staged': {
      const [staging] = node.stagings;
      if (one.well) staging?.resolve();
      else staging?.reject();
      break;
    }
    case 'wait':
      await vi.advanceTimersByTimeAsync(one.ms);
      break;
    case 'write':
      node.write();
      break;
    case 'restart':
      await node.restart();
      break;
  }
  await vi.advanceTimersByTimeAsync(0);
}

/** Lets everything come to its end. */
async function settle(node: FakeNode): Promise<void> {
  for (let round = 0; node.tasks.size > 0 && round < 500; round += 1) {
    for (const runId of [...node.runs.keys()]) node.end(runId, { ok: true, kind: 'exit', exitCode: 0 });
    for (const staging of [...node.stagings]) staging.resolve();
    await vi.advanceTimersByTimeAsync(400_000);
    node.write();
    await vi.advanceTimersByTimeAsync(0);
  }
}

function historyOf(node: FakeNode, id: string): { states: TaskState[]; attempts: number[] } {
  const states: TaskState[] = ['NEW'];
  const attempts: number[] = [];
  for (const record of node.records) {
    if (record.type !== 'task' || record.id !== id) continue;
    for (const state of [...(record.passed ?? []).map(([passed]) => passed), record.state]) {
      if (state !== states.at(-1)) states.push(state);
    }
    if (record.attempt !== undefined) attempts.push(record.attempt);
  }
  return { states, attempts };
}

describe('the life of a task', () => {
  it('has one end, whatever happens when, and gives everything back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const node = new FakeNode(4);
        const ids: string[] = [];
        for (const one of steps) await run(node, one, ids);
        await settle(node);
        expect(node.tasks.size).toBe(0);
        for (const id of ids) {
          const { states, attempts } = historyOf(node, id);
          expect(
            states.filter((state) => taskStates.isFinal(state)),
            `${id}: ${states.join(' ')}`,
          ).toHaveLength(1);
          states.slice(1).forEach((state, index) => {
            // An agent that was killed may have passed through states that it could not write down.
            expect(taskStates.canReach(states[index] ?? 'NEW', state), `${id}: ${states.join(' ')}`).toBe(true);
          });
          expect(attempts).toEqual([...attempts].sort((a, b) => a - b));
        }
        expect(new Set(node.begun).size, 'no attempt is started twice').toBe(node.begun.length);
        expect(node.scheduler.pool.used).toEqual({ cores: 0, gpus: 0, memory: 0 });
        expect(node.scheduler.waiting).toBe(0);
        expect(node.tasks.usage.running).toBe(0);
        expect(new Set(node.accounts)).toEqual(new Set(ids));
        node.walltime.close();
      }),
      { numRuns: 300 },
    );
  });

  it('goes by the table of states, step by step, when nobody is killed', async () => {
    const steps = fc.array(
      step.filter((one) => one.do !== 'restart'),
      { minLength: 5, maxLength: 60 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        const node = new FakeNode(4);
        const ids: string[] = [];
        for (const one of script) await run(node, one, ids);
        await settle(node);
        for (const id of ids) {
          const { states } = historyOf(node, id);
          states.slice(1).forEach((state, index) => {
            expect(taskStates.allows(states[index] ?? 'NEW', state), `${id}: ${states.join(' ')}`).toBe(true);
          });
        }
      }),
      { numRuns: 200 },
    );
  });
});
