import { firstValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createTestSession } from '../src/testing/index.js';

async function start(answer: (text: string) => string = (text) => `echo ${text}`, files: Record<string, string> = {}) {
  const { session } = createTestSession({
    files,
    answer: ([message]) => [answer(typeof message?.content === 'string' ? message.content : '')],
  });
  return { session, llm: await session.services.ensure('smollm2') };
}

describe('a batch', () => {
  it('of a list comes back in its order', async () => {
    const { llm, session } = await start();
    const prompts = Array.from({ length: 50 }, (_, index) => `prompt ${index}`);
    const batch = await llm.map(prompts, { maxTokens: 5 });
    expect((await batch.results()).map(({ text }) => text)).toEqual(prompts.map((prompt) => `echo ${prompt}`));
    expect(batch.progress).toMatchObject({ total: 50, done: 50, failed: 0 });
    expect(batch.record.description.options).toMatchObject({ maxTokens: 5 });
    expect((await session.batches.list({ all: true })).map(({ id }) => id)).toEqual([batch.id]);
    expect((await session.batches.get(batch.name)).id).toBe(batch.id);
  });

  it('of more rows than one call takes gives each of them once', async () => {
    const { llm } = await start();
    const batch = await llm.map(
      (function* () {
        for (let index = 0; index < 4500; index += 1) yield { id: `p${index}`, prompt: `${index}` };
      })(),
    );
    const rows = await firstValueFrom(batch.rows$.pipe(toArray()));
    expect(new Set(rows.map(({ key }) => key)).size).toBe(4500);
    const page = await batch.rows({ from: 4490, limit: 100 });
    expect(page).toMatchObject({ next: 4500, complete: true });
  });

  it('of one list has one input, however often it is sent', async () => {
    const { llm } = await start();
    const input = async (list: readonly unknown[]) => (await llm.map(list)).record.description.input;
    const first = await input(['a', { prompt: 'b' }]);
    expect(await input(['a', { prompt: 'b' }])).toEqual(first);
    expect(await input(['a', { prompt: 'c' }])).not.toEqual(first);
    expect(first).toMatchObject({ upload: expect.stringMatching(/^batch-/) });
  });

  it('with failed rows rejects, unless they are wanted among the others', async () => {
    const refuse = (text: string) => {
      if (text === 'b') throw new Error('it says nothing about b');
      return text;
    };
    const { llm } = await start(refuse, { 'prompts.txt': 'a\nb\nc\n' });
    const batch = await llm.map('prompts.txt');
    await expect(batch.results()).rejects.toMatchObject({ code: 'BATCH_FAILED', ids: { batch: batch.id } });
    expect(batch.state).toBe('DONE');
    const rows = await batch.results({ settled: true });
    expect(rows.map(({ text, error }) => text ?? error?.message)).toEqual([
      'a',
      expect.stringContaining('nothing about b'),
      'c',
    ]);
  });

  it('says at once what cannot be sent', async () => {
    const { llm } = await start();
    await expect(llm.map([])).rejects.toMatchObject({ code: 'INVALID_DESCRIPTION', field: 'input' });
    await expect(llm.map(['a', undefined])).rejects.toThrow('Input 1 is nothing that JSON can hold');
    await expect(llm.map(['a'], { op: 'call' })).rejects.toMatchObject({ field: 'method' });
    await expect(llm.map('nothing.jsonl')).rejects.toMatchObject({ code: 'DATA_NOT_FOUND' });
  });

  it('is canceled, and its handle says so', async () => {
    let answerNow: (text: string) => void = () => undefined;
    const promise = new Promise<string>((resolve) => {
      answerNow = resolve;
    });
    const { session } = createTestSession({
      answer: async function* () {
        yield await promise;
      },
    });
    const llm = await session.services.ensure('smollm2');
    const batch = await llm.map(['a']);
    const results = expect(batch.results()).rejects.toMatchObject({ code: 'BATCH_CANCELED' });
    await batch.cancel();
    await results;
    expect(batch.state).toBe('CANCELED');
    answerNow('too late');
    batch.close();
  });
});
