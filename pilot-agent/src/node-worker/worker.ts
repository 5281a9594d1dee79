import { connect, type Socket } from 'node:net';
import { FrameReader, frame } from '../functions/frames.js';
import type { Begun } from './begun.js';
import type { Caller, CallOrder } from './caller.js';
import type { ModuleReference } from './functions.js';
import { sourcesChanged } from './sources.js';

/** How long a worker waits for an agent before it gives up, and between two tries, in milliseconds. */
const PATIENCE_MS = 600_000;
const RETRY_MS = 50;

type Message =
  | {
      readonly type: 'calls';
      readonly acked?: number;
      readonly functions?: Readonly<Record<string, ModuleReference>>;
      readonly calls: readonly CallOrder[];
    }
  | { readonly type: 'ack'; readonly acked: number }
  | { readonly type: 'exit' };

/** The loop of a warm worker for modules of TypeScript and JavaScript. Calls are made one after another. */
export class Worker {
  readonly #path: string;
  readonly #id: string;
  readonly #begun: Begun;
  readonly #caller: Caller;
  readonly #waiting: CallOrder[] = [];
  /** Results that the agent may still lose, by number of the call, in order. */
  readonly #unacknowledged = new Map<number, string>();
  #socket: Socket | undefined;
  #working = false;
  #stale = false;
  /** Its connection is gone: what it says next is a greeting, when it is at nothing. */
  #cutOff = true;
  #aloneSince = performance.now();

  constructor(path: string, id: string, begun: Begun, caller: Caller) {
    this.#path = path;
    this.#id = id;
    this.#begun = begun;
    this.#caller = caller;
  }

  run(): void {
    const socket = connect(this.#path);
    const frames = new FrameReader();
    socket.on('connect', () => {
      this.#socket = socket;
      if (!this.#working) this.#greet();
    });
    socket.on('data', (piece: Buffer) => {
      for (const message of frames.read(piece)) this.#hear(message as Message);
    });
    socket.on('error', () => undefined); // 'close' follows, and says all there is to say.
    socket.on('close', () => {
      if (this.#socket === socket) this.#aloneSince = performance.now();
      this.#socket = undefined;
      this.#cutOff = true;
      this.#waiting.length = 0;
      if (performance.now() - this.#aloneSince > PATIENCE_MS) process.exit(0);
      setTimeout(() => this.run(), RETRY_MS);
    });
  }

  #hear(message: Message): void {
    if (message.type === 'exit') process.exit(0);
    if (message.acked !== undefined) this.#acknowledged(message.acked);
    if (message.type !== 'calls') return;
    this.#caller.learn(message.functions ?? {});
    this.#waiting.push(...message.calls);
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    let rested = true;
    for (;;) {
      const call = this.#waiting.shift();
      if (call === undefined || this.#stale) break;
      await this.#one(call, rested);
      rested = false;
    }
    this.#working = false;
    if (this.#cutOff && this.#socket !== undefined) this.#greet();
  }

  async #one(call: CallOrder, rested: boolean): Promise<void> {
    const [number, run] = call;
    if (sourcesChanged(rested)) {
      this.#stale = true;
      this.#send(`{"type":"stale","from":${number}}`);
      return;
    }
    if (!this.#begun.begin(number, run)) {
      this.#send(`{"type":"skipped","upto":${number}}`);
      return;
    }
    const result = await this.#caller.make(call);
    this.#unacknowledged.set(number, result);
    this.#send(`{"type":"results","results":[${result}]}`);
  }

  #greet(): void {
    this.#cutOff = false;
    const head = {
      type: 'hello',
      worker: this.#id,
      pid: process.pid,
      version: process.versions.node,
      functions: this.#caller.known,
      stale: this.#stale,
    };
    const results = [...this.#unacknowledged.values()].join(',');
    this.#socket?.write(frame(`${JSON.stringify(head).slice(0, -1)},"results":[${results}]}`));
  }

  /** Without a connection nothing is lost: the greeting of the next one has all results. */
  #send(json: string): void {
    if (!this.#cutOff) this.#socket?.write(frame(json));
  }

  #acknowledged(upto: number): void {
    for (const number of this.#unacknowledged.keys()) {
      if (number > upto) return;
      this.#unacknowledged.delete(number);
    }
    this.#begun.trim();
  }
}
