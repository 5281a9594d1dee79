import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PilothouseError } from '../src/errors/index.js';
import { createTestSession, testPilot, testService, testTask } from '../src/testing/index.js';

const unhandled: unknown[] = [];
const note = (error: unknown) => unhandled.push(error);
beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

describe('until', () => {
  it('resolves at once, or when the state comes', async () => {
    const record = testPilot({ state: 'QUEUED' });
    const { session, controls } = createTestSession({ picture: { pilots: [record] } });
    const pilot = await session.pilots.get(record.id);
    expect((await pilot.until('QUEUED')).state).toBe('QUEUED');
    const active = pilot.until('ACTIVE');
    controls.move(record.id, 'ACTIVE');
    expect((await active).state).toBe('ACTIVE');
    await session.close();
  });

  it('rejects at once, with the reason, when the state can no longer come', async () => {
    const record = testPilot({
      state: 'FAILED',
      error: { code: 'NODE_LOST', message: 'the node is gone', hint: 'Start another', retryable: true, ids: {} },
    });
    const { session } = createTestSession({ picture: { pilots: [record] } });
    const pilot = await session.pilots.get(record.id);
    await expect(pilot.until('ACTIVE')).rejects.toMatchObject({
      code: 'PILOT_FAILED',
      hint: 'Start another',
      ids: { pilot: record.id },
      cause: { code: 'NODE_LOST' },
    });
    await session.close();
  });

  it('sees a state that was passed through between two looks', async () => {
    const record = testTask({ state: 'LAUNCHING' });
    const { session, controls } = createTestSession({ picture: { tasks: [record] } });
    const task = await session.tasks.get(record.id);
    const running = task.until('RUNNING');
    controls.put({ ...record, state: 'DONE', times: { ...record.times, RUNNING: record.since, DONE: record.since } });
    expect((await running).state).toBe('DONE');
    await session.close();
  });

  it('names a state that there is not', async () => {
    const { session } = createTestSession({ picture: { pilots: [testPilot()] } });
    const [pilot] = await session.pilots.list();
    // A program in JavaScript can ask for anything.
    const call: unknown = pilot && Reflect.apply(pilot.until, pilot, ['READY']);
    await expect(call).rejects.toMatchObject({ code: 'INVALID_DESCRIPTION', field: 'state' });
    await session.close();
  });

  it('waits no longer than it may', async () => {
    const record = testPilot({ state: 'QUEUED' });
    const { session } = createTestSession({ picture: { pilots: [record] } });
    const pilot = await session.pilots.get(record.id);
    await expect(pilot.until('ACTIVE', { timeout: '20ms' })).rejects.toMatchObject({ code: 'TIMEOUT' });
    await expect(pilot.done({ signal: AbortSignal.timeout(10) })).rejects.toMatchObject({ name: 'TimeoutError' });
    await session.close();
  });
});

describe('status$', () => {
  it('replays the last to late subscribers, also after the end, and never errors', async () => {
    const record = testTask({ state: 'RUNNING' });
    const { session, controls } = createTestSession({ picture: { tasks: [record] } });
    const task = await session.tasks.get(record.id);
    const states = lastValueFrom(task.status$.pipe(toArray()));
    controls.move(record.id, 'FAILED', { exitCode: 3 });
    expect((await states).map(({ state }) => state)).toEqual(['RUNNING', 'FAILED']);
    expect((await firstValueFrom(task.status$)).state).toBe('FAILED');
    expect((await task.done()).state).toBe('FAILED');
    await expect(task.result()).rejects.toMatchObject({ code: 'TASK_FAILED' });
    await session.close();
  });

  it('ends with the handle, which ends nothing', async () => {
    const { session } = createTestSession({ picture: { tasks: [testTask()] } });
    const [task] = await session.tasks.list();
    if (!task) throw new Error('no task');
    const states = lastValueFrom(task.status$.pipe(toArray()));
    const waiting = task.done().catch((error: unknown) => error);
    task.close();
    expect(await states).toHaveLength(1);
    expect(await waiting).toMatchObject({ code: 'CLOSED' });
    expect((await session.tasks.list())[0]?.state).toBe('RUNNING');
    await session.close();
  });
});

describe('a lost connection', () => {
  it('leaves handles with their last state, and lost contact only where the picture has lost them', async () => {
    const record = testPilot();
    const { session, controls } = createTestSession({ picture: { pilots: [record] } });
    const pilot = await session.pilots.get(record.id);
    controls.disconnect();
    expect(session.connection.state).toBe('RECONNECTING');
    expect(pilot.state).toBe('ACTIVE');
    const draining = pilot.until('DRAINING');
    controls.move(record.id, 'DRAINING');
    session.reconnect();
    expect((await draining).state).toBe('DRAINING');
    await session.close();
  });
});

describe('services', () => {
  it('are started from the template named, or by a command under the name given', async () => {
    const { session } = createTestSession();
    const llm = await session.services.start('smollm2');
    expect(llm.record.description).toMatchObject({ template: 'smollm2' });
    const mine = await session.services.start('mine', { command: ['serve', '{port}', '{apiKeyFile}'] });
    expect(mine.record.description).toMatchObject({ name: 'mine', command: ['serve', '{port}', '{apiKeyFile}'] });
    expect(mine.record.description).not.toHaveProperty('template');
    await session.close();
  });
});

describe('answers', () => {
  it('return at once and get their id with the submission', async () => {
    const { session } = createTestSession({ answer: () => ['one', ' two'] });
    const llm = await session.services.ensure('smollm2');
    const answer = llm.chat('Hello?', { maxTokens: 3 });
    expect(answer.state).toBe('NEW');
    const { text, usage, instance, timing } = await answer.result();
    expect(text).toBe('one two');
    expect(usage?.completionTokens).toBe(2);
    expect(instance).toBe(1);
    expect(timing.inference).toBe(6);
    expect(answer.id).toMatch(/^answer-/);
    expect(answer.record.options.maxTokens).toBe(3);
    const seen: string[] = [];
    for await (const chunk of answer) seen.push(chunk.text);
    expect(seen).toEqual(['one', ' two']);
    expect(await lastValueFrom(answer.text$)).toBe('one two');
    await session.close();
  });

  it('that fail say why, to those who ask and to nobody else', async () => {
    const failing = () => {
      throw new PilothouseError('CONTEXT_EXCEEDED', '4000 tokens and 2048 fit', { hint: 'Ask a shorter question' });
    };
    const { session } = createTestSession({ answer: failing });
    const llm = await session.services.ensure('smollm2');
    const nobody = llm.chat('Hello?');
    await nobody.done();
    const answer = llm.chat('Hello?');
    await expect(answer.result()).rejects.toMatchObject({ code: 'CONTEXT_EXCEEDED', hint: 'Ask a shorter question' });
    await expect(lastValueFrom(answer.text$)).rejects.toMatchObject({ code: 'CONTEXT_EXCEEDED' });
    expect(await answer.explain()).toContain('Ask a shorter question');
    await session.close();
  });

  it('of a service that is not there become FAILED without an unhandled rejection', async () => {
    const { session, controls } = createTestSession({
      picture: { services: [testService({ id: 'service-0000000000' })] },
    });
    const llm = await session.services.get('service-0000000000');
    controls.remove('service-0000000000');
    const answer = llm.chat('Hello?');
    expect(await answer.done()).toMatchObject({ state: 'FAILED' });
    expect(answer.record.error?.code).toBe('SERVICE_NOT_FOUND');
    await expect(answer.result()).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' });
    await expect(answer.stop()).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' });
    await session.close();
  });

  it('stop when their signal aborts, and can be asked again', async () => {
    async function* slow() {
      yield 'first';
      await new Promise(() => undefined);
    }
    let asked = 0;
    const { session } = createTestSession({ answer: () => (asked++ === 0 ? slow() : ['again']) });
    const llm = await session.services.ensure('smollm2');
    const controller = new AbortController();
    const answer = llm.chat('Hello?', { signal: controller.signal });
    await firstValueFrom(answer.chunks$);
    controller.abort();
    expect(await answer.done()).toMatchObject({ state: 'CANCELED' });
    await expect(answer.result()).rejects.toMatchObject({ code: 'ANSWER_STOPPED' });
    const retry = answer.retry();
    expect((await retry.result()).text).toBe('again');
    expect(retry.record.retryOf).toBe(answer.id);
    await session.close();
  });
});

describe('errors', () => {
  it('are told apart across two copies of the SDK', async () => {
    const copy = await import(`${'../lib/index.js'}`);
    const foreign: unknown = new copy.PilothouseError('TIMEOUT', 'late');
    expect(foreign).toBeInstanceOf(PilothouseError);
    expect(new PilothouseError('TIMEOUT', 'late')).toBeInstanceOf(copy.PilothouseError);
    expect(copy.PilothouseError).not.toBe(PilothouseError);
  });
});

describe('many', () => {
  it('handles, waits and calls under one signal warn of no leak', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const { session } = createTestSession();
    const { signal } = new AbortController();
    const set = await session.tasks.submitMany(
      Array.from({ length: 50 }, () => ({ command: ['true'] })),
      { signal },
    );
    const tasks = await set.tasks({ signal });
    await Promise.all(tasks.map((task) => task.done({ signal })));
    await Promise.all(tasks.map((task) => task.result({ signal })));
    await new Promise((resolve) => setImmediate(resolve));
    expect(warnings).toEqual([]);
    process.off('warning', note);
    await session.close();
  });
});
