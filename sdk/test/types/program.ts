// Compiled with the TypeScript of tslab against the packed SDK: what users write must compile, and each mistake below
// must be an error (an expected error that does not come is one itself). Never run.
import {
  type AnswerResult,
  type Batch,
  type Call,
  type CommandEnd,
  defineFunction,
  defineService,
  type ErrorCode,
  type Pilot,
  PilothouseError,
  type PilotState,
  type ServiceStatistics,
  type TaskSet,
  type Tensor,
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

const doseResponse = defineService({
  name: 'dose-response',
  input: z.object({ dose: z.array(z.number()), response: z.array(z.number()) }),
  output: z.object({ ec50: z.number(), hill: z.number() }),
});
const cells = defineService({
  name: 'cells',
  methods: {
    count: { input: z.object({ image: z.string() }), output: z.number() },
    track: { input: z.string(), output: z.boolean(), chunk: z.object({ frame: z.number() }) },
  },
});

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

export async function services(): Promise<void> {
  const session = await connect();
  const llm = await session.services.ensure('vllm', {
    params: { model: '/models/llama-8b' },
    resources: { gpus: 1 },
    instances: { min: 1, max: 4 },
    probes: { readiness: { http: '/health', interval: '2s' } },
  });
  const seen = llm.chat([{ text: 'How many nuclei?' }, { image: 'data/A01.png' }], { seed: 7, priority: 2 });
  exactly<Equal<Awaited<ReturnType<typeof seen.result>>, AnswerResult>>();
  const vectors = await llm.embed(['DNA', 'repair'], { timeout: '30s' }).result();
  exactly<Equal<typeof vectors, number[][]>>();
  const tensors = llm.infer([{ name: 'x', shape: [2], datatype: 'FP32', data: new Float32Array(2) }], { stream: true });
  exactly<Equal<Awaited<ReturnType<typeof tensors.result>>, Tensor[]>>();
  tensors.chunks$.subscribe(({ data }) => console.log(data?.[0]?.shape));
  const { status, body } = await llm.rest('/predict', { method: 'POST', body: { x: 1 } }).result();
  exactly<Equal<[typeof status, typeof body], [number, unknown]>>();
  exactly<Equal<Awaited<ReturnType<ReturnType<typeof llm.call>['result']>>, unknown>>();
  const { ec50 } = await session.services
    .get(doseResponse)
    .call({ dose: [1], response: [2] })
    .result();
  exactly<Equal<typeof ec50, number>>();
  const tracking = session.services.get(cells).call('track', 'A01', { timeout: '1h' });
  exactly<Equal<Awaited<ReturnType<typeof tracking.result>>, boolean>>();
  tracking.chunks$.subscribe(({ data }) => exactly<Equal<NonNullable<typeof data>, { frame: number }>>());
  await llm.scale({ min: 0, max: 8 });
  await llm.drain({ instance: 2, timeout: '1m' });
  exactly<Equal<Awaited<ReturnType<typeof llm.statistics>>, ServiceStatistics>>();
  const batch = await llm.map('prompts.jsonl', { out: 'answers.jsonl', key: 'id', maxTokens: 200, onError: 'keep' });
  exactly<Equal<typeof batch, Batch>>();
  show(batch);
  const { answers } = await session.answers.search({ text: 'dose', service: llm, state: ['DONE', 'FAILED'] });
  exactly<Equal<Awaited<ReturnType<NonNullable<(typeof answers)[0]>['result']>>, AnswerResult>>();
  const { api, remedy } = await session.services.detect({ url: 'http://127.0.0.1:8000/v1', credential: 'r3' });
  console.log(api, remedy, tracking.timing?.queue, tracking.instance);
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
  // @ts-expect-error vectors take no sampling options
  llm.embed('DNA', { maxTokens: 3 });
  // @ts-expect-error a part is text or image
  llm.chat([{ file: 'A01.png' }]);
  // @ts-expect-error a datatype that there is not
  llm.infer([{ name: 'x', shape: [1], datatype: 'float', data: [1] }]);
  // @ts-expect-error instances are a number or min and max
  await llm.scale('4');
  // @ts-expect-error a probe looks by http, tcp, zmq, pattern or command
  await session.services.ensure('x', { probes: { readiness: { udp: true } } });
  // @ts-expect-error a policy that there is not
  await session.services.ensure('x', { routing: { policy: 'random' } });
  // @ts-expect-error the service takes lists of numbers
  session.services.get(doseResponse).call({ dose: ['1'], response: [] });
  // @ts-expect-error a method that there is not
  session.services.get(cells).call('cuont', { image: 'x' });
  // @ts-expect-error a method's input
  session.services.get(cells).call('count', { picture: 'x' });
  // @ts-expect-error a field that the answer has not
  (await session.services.get(doseResponse).call({ dose: [], response: [] }).result()).ec60;
  // @ts-expect-error a batch keeps failed rows or stops
  await llm.map('prompts.jsonl', { onError: 'ignore' });
  // @ts-expect-error only handles can be shown
  show('smollm2');
  // @ts-expect-error an option of connect that there is not
  await connect({ host: 'x' });
  // @ts-expect-error states are read only
  llm.state = 'READY';
  // @ts-expect-error a code that there is not
  new PilothouseError('OOPS', 'x');
}
