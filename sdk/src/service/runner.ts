import { type EncodedBody, encodeBody } from '../direct/protocol/body.js';
import type { ErrorData } from '../errors/index.js';
import {
  checkChunk,
  checkInput,
  checkOutput,
  type DefinedService,
  type MethodDefinition,
} from '../service-definition/index.js';
import type { TakenCall } from './call.js';
import { raised } from './failures.js';
import type { ErasedHandler } from './handlers.js';

/** Where the answers of a runner go. */
export interface Answering {
  chunk(call: TakenCall, number: number, body: EncodedBody): void;
  reply(call: TakenCall, body: EncodedBody): void;
  fail(call: TakenCall, error: ErrorData): void;
}

/** Takes calls to their handlers and what comes back to the callers, checked on both ways. */
export class Runner {
  readonly #service: DefinedService;
  readonly #name: string;
  readonly #handlers: ReadonlyMap<string, ErasedHandler>;
  readonly #answering: Answering;

  constructor(
    service: DefinedService,
    name: string,
    handlers: ReadonlyMap<string, ErasedHandler>,
    answering: Answering,
  ) {
    this.#service = service;
    this.#name = name;
    this.#handlers = handlers;
    this.#answering = answering;
  }

  /** Handles a group of calls of one method; undefined: it is done already. Neither throws nor rejects. */
  run(group: TakenCall[]): Promise<void> | undefined {
    const [first] = group;
    const handler = first === undefined ? undefined : this.#handlers.get(first.method);
    if (first === undefined || handler === undefined) return undefined;
    const now = performance.now();
    for (const call of group) call.started = now;
    return handler.batch ? this.#runBatch(first.method, handler.handle, group) : this.#runOne(handler.handle, first);
  }

  /** What needs no waiting is done without: each turn of it costs as much as the rest of a short call. */
  #runOne(handle: (input: unknown, context: TakenCall) => unknown, call: TakenCall): Promise<void> | undefined {
    try {
      const input = checkInput(this.#service, call.method, call.input);
      if (input instanceof Promise)
        return this.#runLater(
          input.then((checked) => handle(checked, call)),
          call,
        );
      const given = handle(input, call);
      if (given instanceof Promise || isGenerator(given)) return this.#runLater(given, call);
      return this.#reply(call, given)?.catch((error: unknown) => this.#fail(call, error));
    } catch (error) {
      this.#fail(call, error);
      return undefined;
    }
  }

  async #runLater(given: unknown, call: TakenCall): Promise<void> {
    try {
      const result = await given;
      await this.#reply(call, isGenerator(result) ? await this.#inPieces(result, call) : result);
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #reply(call: TakenCall, value: unknown): Promise<void> | undefined {
    if (call.canceled) return undefined;
    const checked = checkOutput(this.#service, call.method, value);
    if (checked instanceof Promise) return checked.then((output) => this.#send(call, output));
    this.#send(call, checked);
    return undefined;
  }

  #send(call: TakenCall, output: unknown): void {
    this.#answering.reply(call, encodeBody(output, `the output of ${this.#name}.${call.method}`));
  }

  /** Sends what a handler yields; gives what it returns. A caller that takes no pieces waits for the value. */
  async #inPieces(pieces: AsyncGenerator<unknown, unknown, undefined>, call: TakenCall): Promise<unknown> {
    const { chunk }: MethodDefinition = this.#service.methods[call.method] ?? { input: NOTHING, output: NOTHING };
    try {
      for (;;) {
        const { done, value } = await pieces.next();
        if (done === true) return value;
        if (call.canceled) return undefined;
        if (!call.streams) continue;
        const piece = chunk === undefined ? value : await checkChunk(this.#service, call.method, value);
        const body = encodeBody(piece, `a piece of ${this.#name}.${call.method}`);
        const number = await call.nextPiece();
        if (number === undefined) return undefined;
        this.#answering.chunk(call, number, body);
      }
    } finally {
      // Its own `finally` runs, also where the caller has gone.
      await pieces.return(undefined);
    }
  }

  async #runBatch(
    method: string,
    handle: (inputs: unknown[], context: { signal: AbortSignal; signals: AbortSignal[]; method: string }) => unknown,
    group: readonly TakenCall[],
  ): Promise<void> {
    const ready: { call: TakenCall; input: unknown }[] = [];
    for (const call of group) {
      try {
        ready.push({ call, input: await checkInput(this.#service, method, call.input) });
      } catch (error) {
        this.#fail(call, error);
      }
    }
    if (ready.length === 0) return;
    const signals = ready.map(({ call }) => call.signal);
    const inputs = ready.map(({ input }) => input);
    try {
      const outputs: unknown = await handle(inputs, { signal: allOf(signals), signals, method });
      if (!Array.isArray(outputs) || outputs.length !== ready.length) {
        throw new TypeError(`the handler gave ${sizeOf(outputs)} for ${ready.length} inputs`);
      }
      await Promise.all(ready.map(({ call }, index) => this.#settle(call, outputs[index])));
    } catch (error) {
      for (const { call } of ready) this.#fail(call, error);
    }
  }

  async #settle(call: TakenCall, output: unknown): Promise<void> {
    try {
      if (output instanceof Error) throw output;
      await this.#reply(call, output);
    } catch (error) {
      this.#fail(call, error);
    }
  }

  #fail(call: TakenCall, error: unknown): void {
    if (!call.canceled) this.#answering.fail(call, raised(error, this.#name, call.method));
  }
}

const NOTHING: MethodDefinition['input'] = {
  '~standard': { version: 1, vendor: 'pilothouse', validate: (value) => ({ value }) },
};

function isGenerator(value: unknown): value is AsyncGenerator<unknown, unknown, undefined> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value;
}

function sizeOf(outputs: unknown): string {
  return Array.isArray(outputs) ? `${outputs.length} outputs` : 'no list';
}

/** Aborted when all of them are. */
function allOf(signals: readonly AbortSignal[]): AbortSignal {
  const all = new AbortController();
  let left = signals.length;
  const one = () => {
    left -= 1;
    if (left === 0) all.abort(signals[0]?.reason);
  };
  for (const signal of signals) {
    if (signal.aborted) one();
    else signal.addEventListener('abort', one, { once: true });
  }
  return all.signal;
}
