// Compiled with the TypeScript of tslab against the packed SDK: what users write must compile, and each mistake below
// must be an error (an expected error that does not come is one itself). Never run.
import {
  type Call,
  type CommandEnd,
  defineFunction,
  type ErrorCode,
  type Pilot,
  PilothouseError,
  type PilotState,
  type TaskSet,
  type Timeline,
  type Timing,
  toAsyncIterable,
} from '@pilothouse/sdk';
import { connectBrowser } from '@pilothouse/sdk/browser';
import { connect } from '@pilothouse/sdk/node';
import { show } from '@pilothouse/sdk/notebook';
import { createTestSession, testPilot } from '@pilothouse/sdk/testing';
import { z } from 'zod';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function exactly<_T extends true>(): void {}

export async function program(): Promise<void> {
  const session = await connect({ name: 'demo', timeout: '60s' });
  const pilot = await session.pilots.ensure('demo', { cores: 2, runtime: '1h' });
  const llm = await session.services.ensure('smollm2', { pilot });
  await llm.ready({ timeout: '60s', signal: AbortSignal.timeout(1000) });
  show(llm.chat('What does ionizing radiation do to DNA?', { maxTokens: 120 }));
  const { text, timing } = await llm.chat([{ role: 'user', content: 'Hi' }]).result();
  exactly<Equal<typeof text, string>>();
  exactly<Equal<typeof timing, Timing>>();
  exactly<Equal<typeof pilot, Pilot>>();
  exactly<Equal<typeof pilot.state, PilotState>>();
  exactly<Equal<PilotState, 'NEW' | 'QUEUED' | 'STARTING' | 'ACTIVE' | 'DRAINING' | 'DONE' | 'FAILED' | 'CANCELED'>>();
  const set = await session.tasks.submitMany([{ command: ['true'], pilot, services: [llm, 'other'] }], {
    name: 'many',
  });
  exactly<Equal<typeof set, TaskSet<CommandEnd>>>();
  show(set);
  set.results$.subscribe((result) => {
    if (result.error === null) exactly<Equal<typeof result.value, CommandEnd>>();
    else console.log(result.name, result.error.message, result.stderrTail);
  });
  const { done, failed } = await set.done();
  exactly<Equal<[typeof done, typeof failed], [number, number]>>();
  for (const task of await set.tasks({ state: ['FAILED', 'CANCELED'] })) {
    const { exitCode, stdout } = await task.result();
    exactly<Equal<[typeof exitCode, typeof stdout], [number, string]>>();
    const file = await task.output('report.txt', { limit: '1MiB' });
    console.log(file.byteLength, task.usage?.wall, await task.retry());
  }
  const first = await session.tasks.submit({ command: ['true'] });
  await session.tasks.submit({ command: ['true'], after: [first, { task: first, when: 'finished' }] });
  const score = defineFunction({ python: 'scoring:score', input: z.string(), output: z.number() });
  const value = await session.tasks.run(score.with({ pilot, cores: 2 }), 'A01').result();
  exactly<Equal<typeof value, number>>();
  const place = z.tuple([z.number(), z.number()]);
  const tile = defineFunction({ module: '/x/tile.ts', export: 'tile', input: place, output: z.array(z.number()) });
  const values = await (await session.tasks.map(tile, [[1, 2]])).results();
  exactly<Equal<typeof values, number[][]>>();
  session.tasks.run(tile, 1, 2);
  const mean = defineFunction({ python: 'stats:mean', input: z.array(z.number()), output: z.number() });
  session.tasks.run(mean, [1, 2, 3]);
  const loose = defineFunction({ python: 'loose:anything' });
  exactly<Equal<Awaited<ReturnType<Call['result']>>, unknown>>();
  session.tasks.run(loose, 1, 'two', { three: 3 });
  await pilot.extend('30m');
  exactly<Equal<Awaited<ReturnType<typeof pilot.timeline>>, Timeline>>();
  pilot.status$.subscribe(({ state, reason }) => console.log(state, reason?.text));
  for await (const picture of toAsyncIterable(session.picture$, { buffer: 1 })) console.log(picture.pilots[0]?.name);
  try {
    await pilot.end();
  } catch (error) {
    if (error instanceof PilothouseError) {
      const code: ErrorCode = error.code;
      console.log(code, error.hint);
    }
  }
  connectBrowser({ url: () => 'ws://127.0.0.1/', name: 'page' });
  createTestSession({ picture: { pilots: [testPilot({ state: 'QUEUED' })] } });
  await session.close();
}

export async function mistakes(): Promise<void> {
  const session = await connect();
  // @ts-expect-error a description with a wrong type
  const pilot = await session.pilots.ensure('demo', { cores: '2' });
  // @ts-expect-error a field that there is not
  await session.pilots.submit({ core: 2 });
  // @ts-expect-error an engine that there is not
  await session.pilots.submit({ engine: 'cloud' });
  // @ts-expect-error a duration is text or { seconds }
  await session.pilots.submit({ runtime: 3600 });
  // @ts-expect-error a method that there is not
  pilot.stop();
  // @ts-expect-error a state that a pilot never has
  await pilot.until('READY');
  // @ts-expect-error an option that there is not
  await pilot.done({ timeoutMs: 5 });
  // @ts-expect-error a task needs a command
  await session.tasks.submit({ name: 'x' });
  // @ts-expect-error either a command or a function, not both
  await session.tasks.submit({ command: ['true'], call: { function: { python: 'a:b' } } });
  const score = defineFunction({ python: 'scoring:score', input: z.string(), output: z.number() });
  // @ts-expect-error the function takes text
  session.tasks.run(score, 1);
  // @ts-expect-error the function takes one argument
  session.tasks.run(score, 'A01', 'A02');
  // @ts-expect-error a function of this program cannot be sent
  session.tasks.run((well: string) => well, 'A01');
  // @ts-expect-error items are what the function takes
  await session.tasks.map(score, [1, 2]);
  // @ts-expect-error a module needs the name of its export
  defineFunction({ module: '/x/tile.ts' });
  const set = await session.tasks.submitMany([{ command: ['true'] }]);
  // @ts-expect-error a set is no list of tasks
  set.length;
  // @ts-expect-error results have no such field
  set.results$.subscribe((result) => result.stdout);
  // @ts-expect-error a command is a list
  await session.tasks.submit({ command: 'python prep.py' });
  const llm = await session.services.ensure('smollm2', {
    // @ts-expect-error a pilot is a handle or an id, and no number
    pilot: 1,
  });
  // @ts-expect-error an option is written in camel case
  llm.chat('Hi', { max_tokens: 3 });
  // @ts-expect-error a role that there is not
  llm.chat([{ role: 'robot', content: 'Hi' }]);
  // @ts-expect-error the text is there when it is awaited
  llm.chat('Hi').result().text;
  // @ts-expect-error only handles can be shown
  show('smollm2');
  // @ts-expect-error an option of connect that there is not
  await connect({ host: 'x' });
  // @ts-expect-error states are read only
  llm.state = 'READY';
  // @ts-expect-error a code that there is not
  new PilothouseError('OOPS', 'x');
}
