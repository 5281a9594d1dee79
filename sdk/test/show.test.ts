import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Answer, Session } from '../src/client/types.js';
import { show } from '../src/notebook/index.js';
import { VIEW_MIME, type ViewBundle } from '../src/schemas/index.js';
import { createTestSession } from '../src/testing/index.js';
import { eventually } from './support/sessions.js';

const HOOK = Symbol.for('pilothouse.display');

interface Shown {
  readonly bundle: ViewBundle;
  readonly displayId: string;
  readonly update: boolean;
}

let shown: Shown[];
let held: Promise<void>[];
let release: () => void;
let session: Session;

/** An answer that says its first word at once, and the rest when the test lets it. */
function hesitant(): AsyncIterable<string> {
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  return (async function* () {
    yield 'one';
    await gate;
    yield ' two';
  })();
}

async function ask(): Promise<Answer> {
  const llm = await session.services.ensure('smollm2');
  return llm.chat('Hello?');
}

const last = (): Shown | undefined => shown.at(-1);

beforeEach(() => {
  shown = [];
  held = [];
  session = createTestSession({ answer: hesitant }).session;
  const hook = {
    runtime: 'tslab',
    display: (bundle: ViewBundle, { displayId, update }: { displayId: string; update: boolean }) => {
      shown.push({ bundle: structuredClone(bundle), displayId, update });
    },
    hold: (promise: Promise<void>) => held.push(promise),
  };
  Reflect.set(globalThis, HOOK, hook);
  vi.stubEnv('JPY_SESSION_NAME', '/home/user/notebook.ipynb');
});

afterEach(async () => {
  release?.();
  await session.close();
  Reflect.deleteProperty(globalThis, HOOK);
  vi.unstubAllEnvs();
  vi.useRealTimers();
});

describe('show', () => {
  it('shows at once, names the answer when it has an id, and never holds a cell that somebody looks at', async () => {
    const answer = await ask();
    expect(show(answer)).toBeUndefined();
    expect(shown).toHaveLength(1);
    expect(last()).toMatchObject({ update: false, bundle: { [VIEW_MIME]: { v: 1, kind: 'answer', target: '' } } });
    await eventually(() => last()?.bundle[VIEW_MIME].target === answer.id && answer.id !== '', 'the id comes');
    expect(new Set(shown.map(({ displayId }) => displayId)).size).toBe(1);
    expect(held).toEqual([]);
  });

  it('leaves the drawing to a renderer, and the final bundle to whom the bridge names', async () => {
    const answer = await ask();
    show(answer);
    await eventually(() => last()?.bundle[VIEW_MIME].target === answer.id && answer.id !== '', 'the id comes');
    const { viewId } = shown[0]?.bundle[VIEW_MIME] ?? { viewId: '' };
    const finals: ViewBundle[] = [];
    session.views.join(viewId, { kind: 'answer', id: answer.id }, 'renderer').subscribe(({ final }) => {
      if (!final) return;
      finals.push(final);
      void session.views.confirm(viewId);
    });
    const before = shown.length;
    release();
    await eventually(() => finals.length === 1, 'the renderer writes it');
    await answer.done();
    expect(shown).toHaveLength(before);
    expect(finals[0]?.['text/html']).toContain('one two');
  });

  it('draws by itself where no renderer joins, and writes the end', async () => {
    const answer = await ask();
    show(answer);
    await eventually(() => (last()?.bundle['text/plain'] ?? '').includes('one'), 'the kernel draws what there is');
    expect(last()).toMatchObject({ update: true });
    release();
    await eventually(() => last()?.bundle[VIEW_MIME].snapshot.state === 'DONE', 'the end is written');
    expect(last()?.bundle['text/plain']).toContain('one two');
    expect(last()?.bundle['text/html']).toContain('communication');
  });

  it('holds a headless cell until its answer is final, but none for a pilot', async () => {
    vi.stubEnv('JPY_SESSION_NAME', '');
    show(await session.pilots.ensure('demo', {}));
    expect(held).toHaveLength(0);
    show(await ask());
    expect(held).toHaveLength(1);
    release();
    await held[0];
    expect(last()?.bundle['text/plain']).toContain('one two');
  });

  it('holds a headless cell until its task set has ended', async () => {
    vi.stubEnv('JPY_SESSION_NAME', '');
    const set = await session.tasks.openSet({ name: 'preprocess' });
    show(set);
    expect(held).toHaveLength(1);
    await set.add([{ command: ['true'] }, { command: ['true'] }]);
    await set.closeSubmission();
    await held[0];
    expect(last()?.bundle['text/plain']).toContain('preprocess · DONE');
    expect(last()?.bundle['text/plain']).toContain('2/2');
    expect(last()?.bundle[VIEW_MIME]).toMatchObject({ kind: 'set', target: set.id });
  });

  it('survives a kernel that cannot show, saying so once', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    Reflect.set(globalThis, HOOK, {
      display: () => {
        throw new Error('no cell');
      },
    });
    vi.stubEnv('JPY_SESSION_NAME', '');
    const cell = show(await ask());
    release();
    await cell;
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });

  it('prints outside notebooks, when the answer is final', async () => {
    Reflect.deleteProperty(globalThis, HOOK);
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const printed = show(await ask());
    release();
    await printed;
    expect(log.mock.calls.flat().join('\n')).toContain('one two');
    log.mockRestore();
  });

  it('takes handles only', () => {
    expect(() => Reflect.apply(show, undefined, ['smollm2'])).toThrowError(
      expect.objectContaining({ code: 'INVALID_DESCRIPTION', field: 'handle' }),
    );
  });
});
