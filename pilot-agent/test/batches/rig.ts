import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@pilothouse/sdk/internal';
import {
  type BatchDescription,
  type BatchRow,
  type BatchSpec,
  batchDescriptionSchema,
  batchRowSchema,
  batchStates,
  type JournalRecord,
  type ServiceApi,
} from '@pilothouse/sdk/shared';
import type { Adapter, AdapterCall, Outcome, Place, Routable, Seeking } from '@pilothouse/serving';
import type { BatchContext } from '../../src/batches/batch-context.js';
import { Batches } from '../../src/batches/batches.js';
import type { JournalEntry } from '../../src/journal/journal.js';

type Entry = Extract<JournalEntry, { type: 'batch' }>;
type Ask = (call: AdapterCall, instance: number) => Promise<Partial<Outcome>>;

/** Instances that are in this process: each takes so many requests at a time. */
export class MemoryService implements Routable {
  readonly id = 'service-0000000000';
  readonly name = 'echo';
  readonly model = 'echo-1';
  readonly attemptTimeout: number | null = null;
  readonly hedgeAfter = null;
  readonly retries = 0;
  /** Requests under way, and the most there were, by number of the instance. */
  readonly outstanding = new Map<number, number>();
  readonly most = new Map<number, number>();
  ready: Set<number>;
  #waiting: (() => void)[] = [];
  #ended: Error | undefined;

  constructor(
    instances: number,
    readonly concurrency: number,
    readonly api: ServiceApi = 'openai',
  ) {
    this.ready = new Set(Array.from({ length: instances }, (_, index) => index + 1));
  }

  /** Other instances are ready from now on. */
  setReady(...instances: number[]): void {
    this.ready = new Set(instances);
    this.#wake();
  }

  end(error: Error): void {
    this.#ended = error;
    this.#wake();
  }

  async acquire({ signal, tried, onWait }: Seeking): Promise<Place> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#ended) throw this.#ended;
      const free = [...this.ready].filter((one) => (this.outstanding.get(one) ?? 0) < this.concurrency);
      const fresh = free.filter((one) => !tried?.has(String(one)));
      const chosen = (fresh.length > 0 ? fresh : free).sort((a, b) => this.#load(a) - this.#load(b))[0];
      if (chosen !== undefined) return this.#place(chosen);
      onWait?.(
        this.ready.size === 0
          ? { code: 'NOT_READY', text: 'no instance is ready' }
          : { code: 'BUSY', text: 'all are busy' },
      );
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    }
  }

  hasOther(tried: ReadonlySet<string>): boolean {
    return [...this.ready].some((one) => !tried.has(String(one)));
  }

  #place(index: number): Place {
    this.outstanding.set(index, this.#load(index) + 1);
    this.most.set(index, Math.max(this.most.get(index) ?? 0, this.#load(index)));
    let open = true;
    const leave = (): void => {
      if (!open) throw new Error('a place was given back twice');
      open = false;
      this.outstanding.set(index, this.#load(index) - 1);
      this.#wake();
    };
    const endpoint = { url: `http://127.0.0.1:${index}`, ports: {}, keyFile: null, serverKey: null };
    return {
      instance: { id: String(index), index },
      target: { endpoint, key: null, name: `echo instance ${index}`, model: this.model },
      roundTrip: 0,
      succeeded: leave,
      failed: leave,
      dropped: leave,
    };
  }

  #load(index: number): number {
    return this.outstanding.get(index) ?? 0;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one();
  }
}

/** Batches with everything in this process, and files in a folder of their own. */
export class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), 'pb'));
  readonly entries: Entry[] = [];
  readonly held: string[] = [];
  /** Prompts in the order in which they were asked. */
  readonly asked: string[] = [];
  batches: Batches;
  ask: Ask = async ({ request, onChunk }) => {
    onChunk(`answer to ${textOf(request)}`);
    return {};
  };
  readonly #past = new Map<string, Extract<JournalRecord, { type: 'batch' }>>();

  constructor(readonly service = new MemoryService(2, 4)) {
    mkdirSync(join(this.folder, 'pilot'));
    this.batches = this.#make();
    this.batches.begin();
  }

  /** The agent is gone, from one moment to the next, and another has begun. */
  restart(): void {
    for (const entry of this.entries)
      this.#past.set(entry.id, { seq: 1, epoch: 1, t: new Date().toISOString(), ...entry });
    this.batches = this.#make();
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, lines: readonly unknown[]): string {
    writeFileSync(
      this.path(name),
      lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
    );
    return this.path(name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  rows(name: string): BatchRow[] {
    const text = this.read(name);
    if (text !== '' && !text.endsWith('\n')) throw new Error('the last line is torn');
    return text.split('\n').flatMap((line) => (line === '' ? [] : [batchRowSchema.parse(JSON.parse(line))]));
  }

  spec(description: Partial<BatchDescription> = {}, more: Partial<BatchSpec> = {}): BatchSpec {
    return {
      id: newId('batch'),
      name: 'test',
      service: this.service.id,
      description: batchDescriptionSchema.parse({ service: 'echo', input: { file: 'in.jsonl' }, ...description }),
      input: this.path('in.jsonl'),
      out: this.path('out.jsonl'),
      format: 'jsonl',
      ...more,
    };
  }

  /** Resolves with the last record of a batch once it has ended. */
  async end(id: string): Promise<Entry> {
    return this.until((entry) => entry.id === id && batchStates.isFinal(entry.state));
  }

  async until(found: (entry: Entry) => boolean, from = 0): Promise<Entry> {
    for (;;) {
      const entry = this.entries.slice(from).find(found);
      if (entry !== undefined) return entry;
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  /** Runs a batch to its end. */
  async run(description: Partial<BatchDescription> = {}, more: Partial<BatchSpec> = {}): Promise<Entry> {
    const spec = this.spec(description, more);
    this.batches.submit(spec);
    return this.end(spec.id);
  }

  clean(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #watchers: (() => void)[] = [];

  #make(): Batches {
    const adapter = (api: ServiceApi): Adapter => ({
      api,
      ops: new Set(),
      ask: async (call) => {
        this.asked.push(textOf(call.request));
        const outcome = await this.ask(call, Number(new URL(call.target.endpoint.url).port));
        return { ...NOTHING, ...outcome };
      },
      models: async () => ['echo-1'],
      check: async () => 'is there',
    });
    const apis = ['openai', 'ollama', 'open-inference', 'zeromq', 'ru-zmq', 'rest', 'any'] as const;
    const byApi = Object.fromEntries(apis.map((api) => [api, adapter(api)])) as Record<ServiceApi, Adapter>;
    const context: BatchContext = {
      pilot: { id: 'pilot-0000000000', folder: join(this.folder, 'pilot') },
      past: { batches: this.#past },
      journal: {
        append: (entry, done) => {
          if (entry.type === 'batch') this.entries.push(entry);
          done?.();
          const watchers = this.#watchers;
          this.#watchers = [];
          for (const one of watchers) one();
          return this.entries.length;
        },
      },
      filesOf: () => [this.folder],
      directory: async () => ({
        find: (name) => (name === this.service.id ? this.service : undefined),
        list: () => [this.service],
      }),
      adapters: async () => byApi,
      hold: (service) => {
        this.held.push(service);
        return () => void this.held.splice(this.held.indexOf(service), 1);
      },
    };
    return new Batches(context);
  }
}

const NOTHING: Outcome = {
  finishReason: 'stop',
  usage: { promptTokens: 3, completionTokens: 2 },
  model: 'echo-1',
  revision: null,
  value: undefined,
  inference: null,
  queued: null,
  connect: 0,
};

/** What a request asks, as one text. */
export function textOf(request: AdapterCall['request']): string {
  switch (request.op) {
    case 'chat': {
      const { content } = request.messages.at(-1) ?? { content: '' };
      return typeof content === 'string' ? content : JSON.stringify(content);
    }
    case 'complete':
      return request.prompt;
    case 'embed':
      return request.input.join(' ');
    case 'rest':
      return JSON.stringify(request.body);
    case 'call':
      return JSON.stringify(request.input);
    case 'infer':
      return JSON.stringify(request.inputs);
  }
}

/** Random numbers from 0 to 1 that follow from a seed. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
