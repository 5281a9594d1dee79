import { formatBytes } from '@pilothouse/sdk/internal';
import type { EnginePilot, PilotSpec } from '../engine.js';
import type { Machine } from './machine.js';

interface Held {
  readonly spec: PilotSpec;
  readonly cpus: readonly number[];
  /** Names of its GPUs. */
  readonly gpus: readonly string[];
  endsAt: string | null;
}

/** Who holds what of this machine, and who waits for it, in order of submission. */
export class LocalHoldings {
  readonly #held = new Map<string, Held>();
  #queue: PilotSpec[] = [];

  constructor(private readonly machine: Machine) {}

  held(): { cores: number; gpus: number; memory: number } {
    const sum = { cores: 0, gpus: 0, memory: 0 };
    for (const { spec } of this.#held.values()) {
      sum.cores += spec.cores;
      sum.gpus += spec.gpus;
      sum.memory += spec.memory ?? 0;
    }
    return sum;
  }

  enqueue(spec: PilotSpec): void {
    this.#queue.push(spec);
  }

  dequeue(id: string): boolean {
    const before = this.#queue.length;
    this.#queue = this.#queue.filter((spec) => spec.id !== id);
    return this.#queue.length < before;
  }

  /** Takes over a pilot that runs already, with the GPUs it has, even where more is held than there is by now. */
  hold(spec: PilotSpec, endsAt: string | null, gpus?: readonly string[]): void {
    const cpus = this.#freeCpus().slice(0, spec.cores);
    this.#held.set(spec.id, { spec, cpus, gpus: gpus ?? this.#freeGpus().slice(0, spec.gpus), endsAt });
  }

  /** The first in the queue, if it fits now; it then holds its share. Later ones never overtake it. */
  takeNext(): PilotSpec | null {
    const [first] = this.#queue;
    if (first === undefined || this.#missing(first) !== null) return null;
    this.#queue.shift();
    this.hold(first, null);
    return first;
  }

  release(id: string): void {
    this.#held.delete(id);
    this.dequeue(id);
  }

  expectEnd(id: string, endsAt: string): boolean {
    const held = this.#held.get(id);
    if (held === undefined || held.endsAt === endsAt) return false;
    held.endsAt = endsAt;
    return this.#queue.length > 0;
  }

  waits(id: string): boolean {
    return this.#queue.some((spec) => spec.id === id);
  }

  /** CPU numbers of a started pilot; null when it holds none of its own. */
  cpusOf(id: string): number[] | null {
    const held = this.#held.get(id);
    return held === undefined || held.cpus.length < held.spec.cores ? null : [...held.cpus];
  }

  /** Names of the GPUs of a started pilot. */
  gpusOf(id: string): string[] {
    return [...(this.#held.get(id)?.gpus ?? [])];
  }

  list(): EnginePilot[] {
    return [
      ...[...this.#held.values()].map(({ spec }) => ({ id: spec.id, state: 'STARTED' as const, spec })),
      ...this.#queue.map((spec) => ({ id: spec.id, state: 'QUEUED' as const, spec })),
    ];
  }

  /** Everybody in the queue, with the sentence that says what for. */
  waiting(): { spec: PilotSpec; text: string }[] {
    return this.#queue.map((spec, index) => {
      const [first] = this.#queue;
      const text = this.reason(spec) ?? `waits behind "${first?.name ?? ''}"`;
      return { spec, text: index > 0 && this.reason(spec) === null ? `waits behind "${first?.name ?? ''}"` : text };
    });
  }

  /** What the pilot would wait for if it were submitted now; null: nothing. */
  reason(spec: PilotSpec): string | null {
    const missing = this.#missing(spec);
    if (missing === null) return null;
    const holders = [...this.#held.values()].map(({ spec: holder, endsAt }) => {
      const until = endsAt === null ? '' : ` until ${clockTime(endsAt)}`;
      const amount = missing.of(holder);
      return amount === 0
        ? null
        : `${holder.name} holds ${missing.show(amount)} of ${missing.show(missing.limit)}${until}`;
    });
    return `waits for ${missing.text}; ${holders.filter((holder) => holder !== null).join(', ')}`;
  }

  #missing(spec: PilotSpec): Missing | null {
    const held = this.held();
    const plain = (amount: number): string => String(amount);
    if (held.cores + spec.cores > this.machine.cores) {
      const text = `${spec.cores} ${spec.cores === 1 ? 'core' : 'cores'}`;
      return { text, limit: this.machine.cores, of: ({ cores }) => cores, show: plain };
    }
    if (held.gpus + spec.gpus > this.machine.gpus) {
      const text = `${spec.gpus} ${spec.gpus === 1 ? 'GPU' : 'GPUs'}`;
      return { text, limit: this.machine.gpus, of: ({ gpus }) => gpus, show: plain };
    }
    if (spec.memory !== null && held.memory + spec.memory > this.machine.memory) {
      const text = `${formatBytes(spec.memory)} of memory`;
      return { text, limit: this.machine.memory, of: ({ memory }) => memory ?? 0, show: formatBytes };
    }
    return null;
  }

  #freeGpus(): string[] {
    const taken = new Set([...this.#held.values()].flatMap(({ gpus }) => gpus));
    return this.machine.gpuIds.filter((gpu) => !taken.has(gpu));
  }

  #freeCpus(): number[] {
    const taken = new Set([...this.#held.values()].flatMap(({ cpus }) => cpus));
    return this.machine.cpus.filter((cpu) => !taken.has(cpu));
  }
}

interface Missing {
  readonly text: string;
  readonly limit: number;
  readonly of: (spec: PilotSpec) => number;
  readonly show: (amount: number) => string;
}

function clockTime(iso: string): string {
  const time = new Date(iso);
  return `${String(time.getHours()).padStart(2, '0')}:${String(time.getMinutes()).padStart(2, '0')}`;
}
