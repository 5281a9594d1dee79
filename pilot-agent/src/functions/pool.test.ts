import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Applicant, Grant } from '../scheduler/demand.js';
import type { RunEnd } from '../tasks/runner.js';
import type { Work } from '../tasks/work.js';
import { Call } from './call.js';
import { Pool, type PoolHost } from './pool.js';
import { Queue } from './queue.js';
import type { PoolSpec } from './spec.js';
import { Worker } from './worker.js';
import { WorkerFiles } from './worker-files.js';

const DEMAND = { cores: 1, gpus: 0, memory: null };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pw'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A node with so many cores, on which workers are started and never come. */
class Node implements PoolHost {
  readonly spawned: Worker[] = [];
  free: number;
  waiting = 0;
  readonly waits: Applicant[] = [];
  readonly scheduler: PoolHost['scheduler'];

  constructor(cores: number) {
    this.free = cores;
    const node = this;
    this.scheduler = {
      held: false,
      get waiting() {
        return node.waits.length + node.waiting;
      },
      apply: (applicant) => {
        if (node.free === 0) node.waits.push(applicant);
        else node.#grant(applicant);
      },
      withdraw: (id) => {
        const at = node.waits.findIndex((one) => one.id === id);
        if (at >= 0) node.waits.splice(at, 1);
        return at >= 0;
      },
      release: () => {
        node.free += 1;
        const next = node.waits.shift();
        if (next) node.#grant(next);
      },
    };
  }

  #grant(applicant: Applicant): void {
    this.free -= 1;
    applicant.granted({ id: applicant.id, demand: DEMAND, nodes: [], gpus: [] } satisfies Grant);
  }

  spawn(): Worker {
    const files = new WorkerFiles(join(folder, String(this.spawned.length)));
    const worker = new Worker(`worker-${this.spawned.length}`, files);
    this.spawned.push(worker);
    return worker;
  }

  placed() {
    return { node: 'here', cores: [], gpus: [] };
  }

  wake(): void {}
}

function call(id: string, ends: Map<string, RunEnd>): Call {
  const watcher = { waits() {}, started() {}, gone() {}, ended: (end: RunEnd) => ends.set(id, end) };
  return new Call(`${id}:1`, watcher, undefined, () => undefined);
}

const SPEC: PoolSpec = {
  key: 'k',
  kind: 'python',
  demand: DEMAND,
  priority: 0,
  expects: undefined,
  sample: {} as Work,
  own: {},
};

describe('a pool', () => {
  it('starts no more workers than there are cores and calls, and gives back what it does not need', () => {
    const node = new Node(3);
    const pool = new Pool('p', SPEC, node);
    const ends = new Map<string, RunEnd>();
    const calls = Array.from({ length: 10 }, (_, index) => call(`t${index}`, ends));
    pool.add(calls[0] as Call);
    expect(node.spawned).toHaveLength(1);
    for (const one of calls.slice(1)) pool.add(one);
    expect(node.spawned).toHaveLength(3);
    expect(node.free).toBe(0);
    for (const one of calls) {
      one.ending = { grace: 1, signal: undefined };
      pool.cancel(one);
    }
    expect([...ends.values()].every(({ kind }) => kind === 'signal')).toBe(true);
    expect(node.waits).toHaveLength(0);
    for (const worker of node.spawned) pool.lost(worker, []);
    expect(node.free).toBe(3);
    expect(pool.empty).toBe(true);
  });

  it('gives up when workers end before they have done anything', () => {
    const node = new Node(1);
    const pool = new Pool('p', SPEC, node);
    expect(pool.isHopeless(1)).toBe(true);
    pool.hasHope();
    expect([1, 2, 3, 4, 5].map(() => pool.isHopeless(-9))).toEqual([false, false, false, false, true]);
    const ends = new Map<string, RunEnd>();
    pool.add(call('t', ends));
    pool.failed({ code: 'FUNCTION_NOT_SENDABLE', message: 'no', retryable: false, ids: {} });
    expect(ends.get('t')).toMatchObject({ ok: false, kind: 'start', error: { code: 'FUNCTION_NOT_SENDABLE' } });
  });
});

describe('the queue', () => {
  it('keeps the order, puts first what comes back, and passes over what has ended', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 200 }), (steps) => {
        const queue = new Queue();
        const model: Call[] = [];
        let made = 0;
        for (const step of steps) {
          if (step < 2) {
            made += 1;
            const one = call(`t${made}`, new Map());
            queue.push(one);
            model.push(one);
          } else if (step === 2) {
            const taken = queue.take(2);
            expect(taken).toEqual(model.splice(0, 2));
            const back = taken.slice(1);
            queue.unshift(back);
            model.unshift(...back);
          } else {
            const [last] = model.splice(-1);
            if (last !== undefined) {
              last.canceled();
              queue.left();
            }
          }
          expect(queue.size).toBe(model.length);
        }
        expect(queue.take(1000)).toEqual(model);
      }),
    );
  });
});
