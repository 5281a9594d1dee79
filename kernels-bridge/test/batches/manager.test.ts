import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  type BatchDescription,
  type BatchRecord,
  batchDescriptionSchema,
  type JournalRecord,
  newId,
  pilotDescriptionSchema,
  type SpoolRecord,
  serviceDescriptionSchema,
  toErrorData,
} from '@pilothouse/sdk/internal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newKey, origin } from '../support/bridge.js';
import { Rig } from '../support/rig.js';

let home: string;
let work: string;
let rig: Rig;
let pilot: string;
let epoch = 1;
let journal = 0;

beforeEach(async () => {
  home = mkdtempSync('/tmp/phb-');
  work = join(home, 'work');
  mkdirSync(work);
  epoch = 1;
  journal = 0;
  rig = await Rig.start(home, epoch);
  ({ id: pilot } = await rig.managers.pilots.submit(pilotDescriptionSchema.parse({ name: 'demo', cores: 2 }), by()));
  const command = ['serve', '{port}', '{apiKeyFile}'];
  await rig.managers.services.start(serviceDescriptionSchema.parse({ name: 'llm', command }), by());
});
afterEach(async () => {
  await rig.kill(false);
  rmSync(home, { recursive: true });
});

/** What a call was refused with. */
const refusalOf = (call: Promise<unknown>) => call.then(() => null, toErrorData);
const by = () => ({ origin: { ...origin, cwd: work }, key: newKey() });
const prompts = (name: string, count = 3) =>
  writeFileSync(
    join(work, name),
    Array.from({ length: count }, (_, id) => `{"id":${id},"prompt":"p${id}"}\n`).join(''),
  );
const start = (description: Partial<BatchDescription> = {}, submission = by()): Promise<BatchRecord> =>
  rig.managers.batches.start(
    batchDescriptionSchema.parse({ service: 'llm', input: { file: 'prompts.jsonl' }, ...description }),
    submission,
  );

function spooled(): SpoolRecord[] {
  const folder = join(home, 'pilots', pilot, 'spool');
  return readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .flatMap((line): SpoolRecord[] => (line === '' ? [] : [JSON.parse(line)]))
    .sort((a, b) => a.seq - b.seq);
}

type Told = Omit<Extract<JournalRecord, { type: 'batch' }>, 'seq' | 'epoch' | 't' | 'type'>;

/** What the agent writes of a batch, read. */
async function told(record: Told): Promise<void> {
  journal += 1;
  const line = { seq: journal, epoch: 1, t: new Date().toISOString(), type: 'batch', ...record };
  appendFileSync(join(home, 'pilots', pilot, 'journal', '1.jsonl'), `${JSON.stringify(line)}\n`);
  await rig.read(pilot);
}

const progress = { total: 3, done: 2, failed: 1, kept: 0, inFlight: 0, rate: null, eta: null, tokens: 9 };

async function restart(flush: boolean): Promise<void> {
  await rig.kill(flush);
  epoch += 1;
  rig = await Rig.start(home, epoch);
}

test('goes to the pilot of its service, with files as the notebook means them', async () => {
  prompts('prompts.jsonl');
  const submission = by();
  const batch = await start({ key: 'id' }, submission);
  expect(batch).toMatchObject({ state: 'NEW', name: 'prompts-llm', pilot, out: join(work, 'prompts-llm.jsonl') });
  expect(spooled().at(-1)).toMatchObject({
    type: 'batch',
    batch: { id: batch.id, input: join(work, 'prompts.jsonl'), out: batch.out, format: 'jsonl' },
  });
  // The same submit again is the same batch.
  expect((await start({ key: 'id' }, submission)).id).toBe(batch.id);
  expect((await rig.managers.batches.explain(batch.id)).text).toContain('waits for pilot "demo"');
});

test('the same call while it is live is the same batch, another one into its file is refused', async () => {
  prompts('prompts.jsonl');
  prompts('others.jsonl');
  mkdirSync(join(work, 'real'));
  symlinkSync(join(work, 'real'), join(work, 'link'));
  const [first, second] = await Promise.all([start({ out: 'real/out.jsonl' }), start({ out: 'link/out.jsonl' })]);
  expect(second.id).toBe(first.id);
  expect(await refusalOf(start({ out: 'real/out.jsonl', input: { file: 'others.jsonl' } }))).toMatchObject({
    code: 'DESCRIPTION_CHANGED',
    field: 'out',
    ids: { batch: first.id },
    evidence: 'input.file: "prompts.jsonl" → "others.jsonl"',
  });
  await told({ id: first.id, state: 'DONE', progress });
  // Once it has ended it is begun anew, and does what is missing.
  expect((await start({ out: 'real/out.jsonl' })).id).not.toBe(first.id);
});

test('lists are sent in pieces, and sending again adds nothing', async () => {
  const upload = newId('batch');
  const { batches } = rig.managers;
  expect(await refusalOf(start({ input: { upload } }))).toMatchObject({ code: 'DATA_NOT_FOUND' });
  expect(await batches.upload(upload, 0, ['a', 'b'])).toBe(2);
  expect(await batches.upload(upload, 0, ['a', 'b'])).toBe(2);
  expect(await batches.upload(upload, 1, ['b', 'c'])).toBe(3);
  expect(await refusalOf(batches.upload(upload, 7, ['x']))).toMatchObject({
    code: 'INVALID_DESCRIPTION',
    field: 'from',
  });
  // What was torn when a bridge was killed is sent again.
  appendFileSync(join(home, 'uploads', `${upload}.jsonl`), '"d');
  await restart(false);
  expect(await rig.managers.batches.upload(upload, 3, ['d'])).toBe(4);
  const batch = await start({ input: { upload } });
  expect(batch.out).toBe(join(work, `llm-${upload.slice(6, 12)}.jsonl`));
  expect(readFileSync(join(home, 'uploads', `${upload}.jsonl`), 'utf8')).toBe('"a"\n"b"\n"c"\n"d"\n');
});

test.each([false, true])('a batch is never lost with the bridge (cache written: %s)', async (flush) => {
  prompts('prompts.jsonl');
  const batch = await start();
  // Killed between log and spool: nothing of it has reached the pilot.
  const folder = join(home, 'pilots', pilot, 'spool');
  await rig.kill(flush);
  for (const name of readdirSync(folder)) {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n');
    writeFileSync(join(folder, name), lines.filter((line) => !line.includes(batch.id)).join('\n'));
  }
  epoch += 1;
  rig = await Rig.start(home, epoch);
  expect(spooled().filter((record) => record.type === 'batch' && record.batch.id === batch.id)).toHaveLength(1);
  expect(rig.managers.batches.get('prompts-llm')).toMatchObject({ id: batch.id, state: 'NEW' });
  await told({ id: batch.id, state: 'RUNNING', progress });
  await restart(flush);
  expect(rig.managers.batches.get(batch.id)).toMatchObject({ state: 'RUNNING', progress });
});

test('rows are read by number, also while they are being written', async () => {
  prompts('prompts.jsonl');
  const { id, out } = await start();
  const { batches } = rig.managers;
  expect(await batches.rows(id, 0, 10)).toEqual({ rows: [], next: 0, complete: false });
  const row = { text: 'x', value: null, error: null, usage: null, instance: 1, total: 5, model: null };
  const lines = Array.from({ length: 3500 }, (_, key) => `${JSON.stringify({ key, ...row })}\n`);
  writeFileSync(out, `${lines.join('')}{"key": 3500, "te`);
  const seen: unknown[] = [];
  for (let from = 0; ; ) {
    const page = await batches.rows(id, from, 700);
    expect(page.complete).toBe(false);
    if (page.rows.length === 0) break;
    seen.push(...page.rows.map(({ key }) => key));
    from = page.next;
  }
  expect(seen).toEqual(Array.from({ length: 3500 }, (_, key) => key));
  expect((await batches.rows(id, 2999, 2)).rows.map(({ key }) => key)).toEqual([2999, 3000]);
  await told({ id, state: 'DONE', progress });
  expect(await batches.rows(id, 3400, 200)).toMatchObject({ next: 3500, complete: true });
  appendFileSync(out, '\n');
  expect(await refusalOf(batches.rows(id, 3499, 10))).toMatchObject({ code: 'LOG_DAMAGED' });
});

test("rows of OpenAI's batch format are rows like others", async () => {
  prompts('prompts.jsonl');
  const { id, out } = await start({ op: 'openai' });
  const body = {
    model: 'm',
    choices: [{ message: { content: 'hello' } }],
    usage: { prompt_tokens: 3, completion_tokens: 4 },
  };
  const error = { code: 'REQUEST_REFUSED', message: 'no' };
  const rows = [
    { id: 'x', custom_id: 'a', response: { status_code: 200, request_id: 'x', body }, error: null },
    { id: 'y', custom_id: 'b', response: null, error },
  ];
  writeFileSync(out, rows.map((one) => `${JSON.stringify(one)}\n`).join(''));
  expect((await rig.managers.batches.rows(id, 0, 10)).rows).toMatchObject([
    { key: 'a', text: 'hello', usage: { promptTokens: 3, completionTokens: 4 }, model: 'm', error: null },
    { key: 'b', text: null, error },
  ]);
});

test('canceling goes to the pilot; what has ended stays as it is', async () => {
  prompts('prompts.jsonl');
  const batch = await start();
  await told({ id: batch.id, state: 'RUNNING', progress });
  await rig.managers.batches.cancel(batch.id);
  expect(spooled().at(-1)).toMatchObject({ type: 'cancel-batch', batch: batch.id });
  await told({ id: batch.id, state: 'CANCELED', progress, reason: null });
  expect(await rig.managers.batches.cancel(batch.id)).toMatchObject({ state: 'CANCELED', reason: null });
  expect(rig.managers.batches.list(false)).toEqual([]);
});

test.each([
  [{ input: { file: 'nothing.jsonl' } }, 'DATA_NOT_FOUND', 'input.file'],
  [{ out: 'no/such/out.jsonl' }, 'DIRECTORY_NOT_FOUND', 'out'],
  [{ out: 'prompts.jsonl' }, 'INVALID_DESCRIPTION', 'out'],
  [{ out: '.' }, 'INVALID_DESCRIPTION', 'out'],
  [{ op: 'infer' }, 'UNSUPPORTED_REQUEST', 'op'],
  [{ service: 'other' }, 'SERVICE_NOT_FOUND', 'ref'],
] as const)('%j is refused', async (description, code, field) => {
  prompts('prompts.jsonl');
  expect(await refusalOf(start(description))).toMatchObject({ code, field });
  expect(rig.managers.batches.list(true)).toEqual([]);
});
