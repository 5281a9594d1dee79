// Task events that one Node client receives through `watch` with credits. A load generator takes the place of the agent
// (the real one is bounded by how fast processes start): it says for each task WAITING … DONE over the real link.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@pilothouse/sdk/node';
import { Dealer } from 'zeromq';
import { ReconnectingConnector } from '../../sdk/lib/client/connection/reconnecting.js';
import { creditStream } from '../../sdk/lib/client/streams/credit-stream.js';
import { dialLocal } from '../../sdk/lib/node/dial.js';
import { locate } from '../../sdk/lib/node/paths.js';
import { processesOf } from '../lib/proc.mjs';
import { eventually } from '../lib/stack.mjs';

const TASKS = 10_000;
const STATES = ['SCHEDULING', 'LAUNCHING', 'RUNNING', 'DONE'];
const BATCH = 200;

/** Speaks the agent's side of the link for one pilot. */
async function fakeAgent(stack, pilot) {
  const folder = join(stack.home, 'pilots', pilot);
  const { addresses } = JSON.parse(readFileSync(join(folder, 'connect.json'), 'utf8'));
  const link = new Dealer({ routingId: pilot, linger: 0, sendHighWaterMark: 0 });
  link.connect(addresses[0]);
  const send = (frame) => link.send(JSON.stringify(frame));
  return { link, send };
}

export async function eventsPerSecond(stack) {
  const session = await connect({ name: 'bench' });
  const pilot = await session.pilots.submit({ cores: 1, runtime: '1h' });
  await pilot.until('ACTIVE', { timeout: '30s' });
  const real = processesOf(stack.home).filter(({ command }) => /warden\.py|pilot-agent/.test(command));
  for (const { pid } of real) process.kill(pid, 'SIGKILL');
  const tasks = [];
  for (let start = 0; start < TASKS; start += 1000) {
    tasks.push(
      ...(await session.tasks.submitMany(Array.from({ length: 1000 }, () => ({ command: ['/bin/true'], pilot })))),
    );
  }
  // All records have arrived before the clock starts.
  await eventually('the picture of all tasks', () => session.picture.tasks.length >= TASKS);
  const agent = await fakeAgent(stack, pilot.id);
  const { received, seconds } = await generate(
    agent,
    pilot.id,
    tasks.map(({ id }) => id),
  );
  agent.link.close();
  await session.close();
  return received / seconds;
}

/** The journal number that the bridge has reached. */
async function welcome(link) {
  for (;;) {
    const [data] = await link.receive();
    const frame = JSON.parse(data.toString());
    if (frame.type === 'welcome') return frame.haveSeq;
  }
}

/** Counts what one `watch` brings while the generator sends as fast as the link takes it. */
async function generate({ link, send }, pilot, ids) {
  const connector = new ReconnectingConnector({ dial: dialLocal(locate()), client: 'bench' });
  const stop = new AbortController();
  const watch = creditStream(
    connector,
    (api, flow, signal) => api.system.watch({ ...flow, kinds: ['task'] }, { signal }),
    { signal: stop.signal, finished: () => false },
  );
  // The first batch is the whole picture: what counts comes after it.
  await watch.next();
  await send({ type: 'hello', protocol: 1, pilot, epoch: 1000, obeys: 1, journalSeq: 0, spoolSeq: 0 });
  // Records go on where the bridge stands: it takes each number once and in order.
  let seq = await welcome(link);
  const start = performance.now();
  const reading = (async () => {
    let received = 0;
    for (let done = 0; done < ids.length; ) {
      const { value } = await watch.next();
      received += value.tasks.length;
      done += value.tasks.filter(({ state }) => state === 'DONE').length;
    }
    return received;
  })();
  const t = new Date().toISOString();
  for (let from = 0; from < ids.length; from += BATCH) {
    for (const state of STATES) {
      const records = ids.slice(from, from + BATCH).map((id) => {
        seq += 1;
        return { seq, epoch: 1000, t, type: 'task', id, state, ...(state === 'DONE' ? { exitCode: 0 } : {}) };
      });
      await send({ type: 'events', records });
    }
  }
  const received = await reading;
  const seconds = (performance.now() - start) / 1000;
  stop.abort();
  connector.close();
  return { received, seconds };
}
