import { expect, it } from 'vitest';
import { ReconnectingConnector } from '../src/client/connection/reconnecting.js';
import { creditStream } from '../src/client/streams/credit-stream.js';
import type { WatchBatch } from '../src/contract/index.js';
import { ContractServer } from './support/contract-server.js';
import { memory } from './support/memory.js';
import { dialPath, eventually } from './support/sessions.js';

/** A server that counts credits as the bridge does, and counts what it sends. */
class Counter {
  sent = 0;
  #credits = 0;
  #wake: () => void = () => undefined;

  grant(credits: number): void {
    this.#credits += credits;
    this.#wake();
  }

  async *batches(credits: number): AsyncGenerator<WatchBatch> {
    this.#credits = credits;
    for (;;) {
      while (this.#credits === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      this.#credits -= 1;
      this.sent += 1;
      const seq = this.sent;
      yield {
        epoch: 1,
        seq,
        reset: seq === 1,
        pilots: [],
        tasks: [],
        sets: [],
        services: [],
        answers: [],
        batches: [],
        removed: [],
      };
    }
  }
}

it('a reader that does not read stops the server at its window; reading on goes on', async () => {
  const counter = new Counter();
  const { api } = memory();
  const system = {
    ...api.system,
    watch: async (input: { credits?: number | undefined }) => counter.batches(input.credits ?? 0),
    grant: async ({ credits }: { credits: number }) => {
      counter.grant(credits);
      return {};
    },
  };
  const server = new ContractServer(`/tmp/ph-credits-${process.pid}`, () => ({ ...api, system }));
  await server.start();
  const connector = new ReconnectingConnector({ dial: dialPath(server.path), client: 'test' });
  const stop = new AbortController();
  const stream = creditStream<WatchBatch>(connector, (client, flow, signal) => client.system.watch(flow, { signal }), {
    signal: stop.signal,
    finished: () => false,
    window: 8,
  });
  expect((await stream.next()).value).toMatchObject({ seq: 1 });
  await eventually(() => counter.sent === 8, 'the window is used up');
  // Every further turn of the loop gives the server the chance to send more than it may.
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(counter.sent).toBe(8);
  for (let seq = 2; seq <= 1000; seq += 1) expect((await stream.next()).value).toMatchObject({ seq });
  expect(counter.sent).toBeLessThanOrEqual(1000 + 8);
  stop.abort(new Error('read enough'));
  await expect(stream.next()).rejects.toThrow('read enough');
  await connector.close();
  await server.stop();
});
