// Task events that one Node client receives through `watch` with credits. A load generator takes the place of the agent
// (the real one is bounded by how fast processes start): it says for each task WAITING … DONE over the real link.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@pilothouse/sdk/node';
import { Dealer } from 'zeromq';
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
  return { link, send, folder };
}

export async function eventsPerSecond(stack) {
  const session = await connect({ name: 'bench' });
  const pilot = await session.pilots.submit({ cores: 1, runtime: '1h' });
  await pilot.until('ACTIVE', { timeout: '30s' });
  const real = processesOf(stack.home).filter(({ command }) => /warden\.py|pilot-agent/.test(command));
  const tasks = [];
  await session.tasks.submit({ command: ['/bin/sleep', '3600'], pilot });
  for (let start = 0; start < TASKS; start += 1000) {
    tasks.push(...(await session.tasks.submitMany(Array.from({ length: 1000 }, () => ({ command: ['/bin/true'], pilot })))));
  }
  // All records have arrived before the clock starts.
  await eventually('the picture of all tasks', () => session.picture.tasks.length >= TASKS);
  for (const { pid } of real) process.kill(pid, 'SIGKILL');
  const journal = join(stack.home, 'pilots', pilot.id, 'journal');
  mkdirSync(journal, { recursive: true });
  const agent = await fakeAgent(stack, pilot.id);
  const { received, seconds } = await generate(session, agent, pilot.id, tasks.map(({ id }) => id));
  agent.link.close();
  await session.close();
  return received / seconds;
}

async function generate(session, { link, send }, pilot, ids) {
  let seq = 1_000_000;
  let received = 0;
  const last = new Map();
  const finished = new Promise((resolve) => {
    session.picture$.subscribe(({ tasks }) => {
      let done = 0;
      for (const { id, seq: changed, state } of tasks) {
        if (last.get(id) !== changed) {
          last.set(id, changed);
          received += 1;
        }
        if (state === 'DONE') done += 1;
      }
      if (done >= TASKS) resolve();
    });
  });
  received = 0;
  const start = performance.now();
  await send({ type: 'hello', protocol: 1, pilot, epoch: 1000, obeys: 1, journalSeq: seq, spoolSeq: 0 });
  await link.receive();
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
  await finished;
  return { received, seconds: (performance.now() - start) / 1000 };
}
