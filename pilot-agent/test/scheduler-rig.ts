import fc from 'fast-check';
import { expect } from 'vitest';
import type { Applicant, Capacity, Claim, Demand, Grant, Kind } from '../src/scheduler/demand.js';
import { Pool } from '../src/scheduler/pool.js';
import { Scheduler } from '../src/scheduler/scheduler.js';

/** Small pilots of unlike nodes. */
export const pilots = fc.array(
  fc.record<Capacity>({
    cores: fc.integer({ min: 1, max: 40 }),
    gpus: fc.integer({ min: 0, max: 4 }).map((count) => Array.from({ length: count }, (_, index) => `gpu-${index}`)),
    memory: fc.option(fc.integer({ min: 100, max: 1000 })),
  }),
  { minLength: 1, maxLength: 6 },
);

const tags = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 });

export const demands = fc.record<Demand>({
  cores: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 8 }) }, fc.integer({ min: 1, max: 40 })),
  gpus: fc.oneof(
    { weight: 2, arbitrary: fc.constant(0) },
    fc.integer({ min: 1, max: 4 }),
    fc.constantFrom(0.25, 0.5, 0.3, 1.5),
  ),
  memory: fc.option(fc.integer({ min: 0, max: 500 })),
  slots: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.integer({ min: 1, max: 6 })),
  nodes: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.integer({ min: 1, max: 3 })),
  tags: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, tags),
  near: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, tags),
  apart: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, tags),
});

/** What is asked for, beside an id. */
export type Wish = Omit<Claim, 'id'>;

export const wishes = fc.record<Wish>({
  demand: demands,
  kind: fc.oneof({ weight: 5, arbitrary: fc.constant<Kind>('task') }, fc.constant<Kind>('service')),
  priority: fc.constantFrom(0, 0, 0, -1, 5),
  expects: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
});

/** Drives a scheduler, and knows what it ought to know. */
export class Rig {
  readonly pool: Pool;
  readonly scheduler: Scheduler;
  readonly running = new Map<string, { readonly wish: Wish; readonly grant: Grant }>();
  readonly waiting = new Map<string, Wish>();
  readonly reasons = new Map<string, string>();
  readonly order: string[] = [];
  time = Date.UTC(2026, 0, 1, 12);
  #next = 0;
  readonly #nodes: readonly Capacity[];

  constructor(nodes: readonly Capacity[], mayPass?: number) {
    this.#nodes = nodes;
    this.pool = new Pool(nodes);
    this.scheduler = new Scheduler(this.pool, { mayPass, now: () => this.time });
    this.scheduler.begin();
  }

  /** Applies, unless it can never be met; gives the id. */
  apply(wish: Wish): string | undefined {
    if (this.pool.impossible(wish.demand)) return undefined;
    this.#next += 1;
    const id = `t.${this.#next}`;
    this.waiting.set(id, wish);
    this.scheduler.apply(this.#applicant(id, wish));
    return id;
  }

  #applicant(id: string, wish: Wish): Applicant {
    return {
      ...wish,
      id,
      granted: (grant) => {
        expect(grant.id).toBe(id);
        expect(this.waiting.delete(id)).toBe(true);
        this.#checkTags(wish, grant);
        this.running.set(id, { wish, grant });
        this.order.push(id);
      },
      waits: ({ text }) => this.reasons.set(id, text),
    };
  }

  release(id: string): void {
    const one = this.running.get(id);
    if (one === undefined) throw new RangeError(`${id} does not run`);
    this.running.delete(id);
    this.scheduler.release(one.grant);
    this.scheduler.release(one.grant);
  }

  releaseAny(which: number): void {
    const id = [...this.running.keys()][which % Math.max(1, this.running.size)];
    if (id !== undefined) this.release(id);
  }

  withdrawAny(which: number): void {
    const id = [...this.waiting.keys()][which % Math.max(1, this.waiting.size)];
    if (id === undefined) return;
    this.waiting.delete(id);
    expect(this.scheduler.withdraw(id)).toBe(true);
    expect(this.scheduler.withdraw(id)).toBe(false);
  }

  /** Never more than there is, no core twice, no device over full; what is granted is what was asked for. */
  check(): void {
    expect(this.scheduler.waiting).toBe(this.waiting.size);
    const used = { cores: 0, gpus: 0, memory: 0 };
    for (const [node, capacity] of this.#nodes.entries()) {
      const cores = new Set<number>();
      const devices = capacity.gpus.map(() => 0);
      let memory = 0;
      for (const { wish, grant } of this.running.values()) {
        for (const share of grant.nodes.filter((one) => one.node === node)) {
          expect(share.cores).toHaveLength(wish.demand.cores * share.slots);
          for (const core of share.cores) {
            expect(core).toBeLessThan(capacity.cores);
            expect(cores.has(core)).toBe(false);
            cores.add(core);
          }
          for (const { index, part } of share.gpus) devices[index] = (devices[index] ?? 9) + part;
          const parts = share.gpus.reduce((sum, { part }) => sum + part, 0);
          expect(parts).toBeCloseTo(wish.demand.gpus * share.slots, 6);
          used.gpus += parts;
          memory += share.memory;
        }
      }
      expect(memory).toBeLessThanOrEqual(capacity.memory ?? Number.POSITIVE_INFINITY);
      for (const part of devices) expect(part).toBeLessThanOrEqual(1 + 1e-9);
      used.cores += cores.size;
      used.memory += memory;
    }
    for (const { wish, grant } of this.running.values()) {
      const { slots, nodes } = wish.demand;
      const all = grant.nodes.reduce((sum, share) => sum + share.slots, 0);
      expect(all).toBe(Math.max(slots ?? nodes ?? 1, nodes ?? 1));
      expect(new Set(grant.nodes.map(({ node }) => node)).size).toBe(grant.nodes.length);
      if (nodes !== undefined) expect(grant.nodes).toHaveLength(nodes);
    }
    expect(this.pool.used.cores).toBe(used.cores);
    expect(this.pool.used.gpus).toBeCloseTo(used.gpus, 6);
    expect(this.pool.used.memory).toBe(used.memory);
  }

  #checkTags({ demand }: Wish, grant: Grant): void {
    const { near = [], apart = [], tags = [] } = demand;
    const bearers = [...this.running.values()];
    const on = (tag: string, node: number) =>
      bearers.some(
        ({ wish, grant: { nodes } }) => wish.demand.tags?.includes(tag) && nodes.some((one) => one.node === node),
      );
    const somewhere = near.some((tag) => bearers.some(({ wish }) => wish.demand.tags?.includes(tag)));
    for (const { node } of grant.nodes) {
      for (const tag of apart) expect(on(tag, node)).toBe(false);
      for (const {
        wish,
        grant: { nodes },
      } of bearers) {
        const repels = wish.demand.apart?.some((tag) => tags.includes(tag)) === true;
        expect(repels && nodes.some((one) => one.node === node)).toBe(false);
      }
      if (somewhere) expect(near.some((tag) => on(tag, node))).toBe(true);
    }
  }
}
