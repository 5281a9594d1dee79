import { newId, VIEW_MIME, type ViewUpdate } from '@pilothouse/sdk/internal';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ViewManager } from '../../src/managers/views/view-manager.js';
import type { BatchSource } from '../../src/streams/stream.js';
import {
  ask,
  beginStream,
  followAll,
  openAnswers,
  type Parts,
  recorded,
  scratchFolder,
  serve,
  serviceAt,
} from './harness.js';

let scratch: ReturnType<typeof scratchFolder>;
let server: Awaited<ReturnType<typeof serve>>;
let parts: Parts;
let views: ViewManager;
let finish: () => void;
let id: string;
const viewId = newId('view');

beforeEach(async () => {
  scratch = scratchFolder();
  parts = await openAnswers(scratch.path);
  views = new ViewManager(parts.picture, parts.names, parts.answers);
  const begun = Promise.withResolvers<void>();
  server = await serve((_, response) => {
    const send = beginStream(response);
    finish = () => {
      send(recorded('llama-server-answer.sse'));
      response.end();
    };
    begun.resolve();
  });
  id = (await ask(parts, parts.picture.put('service', serviceAt([server.url])))).id;
  await begun.promise;
});
afterEach(async () => {
  vi.useRealTimers();
  views.close();
  await parts.answers.stop(id).catch(() => undefined);
  await parts.close();
  await server.close();
  scratch.dispose();
});

const signal = () => AbortSignal.timeout(20_000);
const join = (role: 'renderer' | 'kernel', view = viewId) => views.join(view, { kind: 'answer', id }, role);

/** The first update that fits. */
async function see(source: BatchSource<ViewUpdate>, fits: (update: ViewUpdate) => boolean): Promise<ViewUpdate> {
  for (const end = signal(); ; ) {
    const update = await source.next(end);
    if (update === null) throw new Error('the view ended');
    if (fits(update)) return update;
  }
}

async function end(): Promise<void> {
  finish();
  await followAll(parts, id);
}

test('the first renderer writes; the kernel sees that there is one', async () => {
  const kernel = join('kernel');
  const [first, second] = [join('renderer'), join('renderer')];
  expect(await see(kernel, () => true)).toEqual({ renderers: 2, writer: false, final: null, confirmed: false });
  expect(await see(first, () => true)).toMatchObject({ writer: true, final: null });
  expect(await see(second, () => true)).toMatchObject({ writer: false });
  await end();
  const { final } = await see(first, (update) => update.final !== null);
  expect(final?.[VIEW_MIME]).toMatchObject({ viewId, kind: 'answer', target: id, snapshot: { state: 'DONE' } });
  const { text } = parts.answers.get(id);
  expect(final?.[VIEW_MIME].snapshot).toMatchObject({ text });
  expect(final?.['text/plain']).toContain(text);
  views.confirm(viewId);
  for (const source of [first, second, kernel]) {
    expect(await see(source, ({ confirmed }) => confirmed)).toMatchObject({ final: null });
  }
});

test('a writer that leaves before it confirms hands over', async () => {
  const [first, second] = [join('renderer'), join('renderer')];
  await end();
  await see(first, ({ final }) => final !== null);
  first.close();
  expect(await see(second, ({ final }) => final !== null)).toMatchObject({ renderers: 1, writer: true });
});

test('the kernel writes once there has been no renderer for two seconds', async () => {
  await end();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const kernel = join('kernel');
  expect(await see(kernel, () => true)).toMatchObject({ renderers: 0, writer: false, final: null });
  vi.advanceTimersByTime(2_000);
  expect(await see(kernel, ({ writer }) => writer)).toMatchObject({ final: expect.anything() });
});

test('the final bundle is sent again until it is confirmed', async () => {
  await end();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const renderer = join('renderer');
  await see(renderer, ({ final }) => final !== null);
  for (let round = 0; round < 3; round += 1) {
    vi.advanceTimersByTime(5_000);
    expect((await see(renderer, () => true)).final).not.toBeNull();
  }
  views.confirm(viewId);
  expect(await see(renderer, () => true)).toMatchObject({ final: null, confirmed: true });
  renderer.close();
  expect(await see(join('renderer'), () => true)).toMatchObject({ final: null, confirmed: true });
});

test('a view shows one thing, and only what is there', () => {
  join('renderer');
  const other = parts.picture.put('service', serviceAt([], 'other'));
  expect(() => views.join(viewId, { kind: 'service', id: other.id }, 'renderer')).toThrow(
    expect.objectContaining({ code: 'INVALID_DESCRIPTION', field: 'target' }),
  );
  expect(() => views.join(newId('view'), { kind: 'pilot', id: newId('pilot') }, 'renderer')).toThrow(
    expect.objectContaining({ code: 'PILOT_NOT_FOUND' }),
  );
  expect(views.render(newId('view'), { kind: 'service', id: other.id })['text/plain']).toContain('other');
});
