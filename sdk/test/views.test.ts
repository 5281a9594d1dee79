import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AnyRecord, taskDescriptionSchema, VIEW_MIME, viewBundleSchema } from '../src/schemas/index.js';
import { instanceStates, pilotStates, requestStates, serviceStates, taskStates } from '../src/states/index.js';
import {
  testAnswer,
  testBatch,
  testInstance,
  testPilot,
  testService,
  testTask,
  testTaskSet,
} from '../src/testing/index.js';
import { renderBundle } from '../src/views/bundle.js';
import { errorSentence, formatMilliseconds, stateMark, timingLine } from '../src/views/words.js';

const VIEW = 'view-0123456789';
const TIMING = {
  total: 224,
  client: null,
  communication: 1.12,
  queue: 0.4,
  service: 3.2,
  inference: 217.4,
  ttft: 62,
  gaps: { p50: 6, p99: 9 },
  tokensPerSecond: 160.2,
};
const USAGE = { promptTokens: 9, completionTokens: 36 };

/** All markup of the bundle, without the text between. */
const tags = (html: string): string[] => html.match(/<\/?[a-z]+/g) ?? [];

describe('renderBundle', () => {
  const records: AnyRecord[] = [testAnswer(), testPilot(), testService(), testTask(), testTaskSet(), testBatch()];

  it.each(records.map((record) => [record.kind, record] as const))('draws a %s in all three forms', (_kind, record) => {
    const bundle = renderBundle(record, VIEW);
    expect(viewBundleSchema.parse(bundle)).toEqual(bundle);
    expect(bundle[VIEW_MIME]).toMatchObject({ v: 1, viewId: VIEW, kind: record.kind, target: record.id });
    expect(renderBundle(structuredClone(record), VIEW)).toEqual(bundle);
    expect(bundle['text/html']).toContain(record.kind === 'answer' ? record.service.name : record.name);
    expect(bundle['text/plain']).toContain(record.state);
  });

  it('shows of a task set its failures first, then bar, counts, rate and how long it will take', () => {
    const error = {
      code: 'OUT_OF_MEMORY',
      message: 'it needed 5 GiB',
      hint: 'Ask for 6GiB',
      retryable: false,
      ids: {},
    };
    const record = testTaskSet({
      name: 'preprocess',
      summary: 'python prep.py',
      counts: { total: 900, waiting: 148, running: 40, done: 800, failed: 12, canceled: 0, resumed: 0 },
      expected: 1000,
      rate: 41.3,
      eta: 190,
      failures: [{ id: 'set-x.3', name: 'A03', error: { ...error, code: 'OUT_OF_MEMORY' } }],
    });
    const bundle = renderBundle(record, VIEW);
    expect(bundle['text/plain'].split('\n')).toEqual([
      '◐ preprocess · RUNNING · python prep.py · more may come',
      '✕ A03: Ask for 6GiB. It needed 5 GiB (OUT_OF_MEMORY).',
      '… and 11 more failed',
      '▮▮▮▮▮▮▮▮▮▮▮▮▮▮▮▮▯▯▯▯ 812/1000 · 12 failed · 40 running · 148 waiting · 41/s · about 3 min left',
    ]);
    expect(bundle['text/html']).toContain('width:81.2%');
    const ended = testTaskSet({ ...record, state: 'DONE', open: false, endedAt: '2026-03-01T14:02:00.000Z' });
    expect(renderBundle(ended, VIEW)['text/plain']).toContain('ended 2026-03-01 14:02 UTC');
    expect(renderBundle(ended, VIEW)['text/plain']).not.toContain('left');
  });

  it('shows of a task what its function raised and what it has used', () => {
    const usage = { wall: 12.34, cpu: 95, maxRss: 2 ** 30, read: 0, written: 10, gpuUtil: 0.5, gpuMemoryPeak: null };
    const description = taskDescriptionSchema.parse({ call: { function: { python: 'scoring:score' } } });
    const exception = { type: 'ValueError', message: 'no', traceback: 'Traceback: ValueError: no' };
    const record = testTask({ state: 'FAILED', description, exception, usage });
    const text = renderBundle(record, VIEW)['text/plain'];
    for (const part of [
      'scoring.score(…)',
      'Traceback: ValueError: no',
      'time 12.3 s',
      'CPU time 1 min 35 s',
      'GPU 50 %',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('shows who answered, the text and every part of its time', () => {
    const bundle = renderBundle(testAnswer({ state: 'DONE', text: 'Hello', timing: TIMING, usage: USAGE }), VIEW);
    for (const text of [
      'smollm2 · instance 1',
      'Hello',
      'communication',
      '1.1 ms',
      '217 ms',
      'first token',
      '160',
      '36',
    ]) {
      expect(bundle['text/html']).toContain(text);
    }
    expect(bundle['text/plain']).toContain(
      'communication 1.1 ms · queue 0.4 ms · service 3.2 ms · inference 217 ms · total 224 ms · first token 62 ms · 160 tokens/s · 36 tokens',
    );
  });

  it('says "not reported" for what the server did not report', () => {
    const timing = { ...TIMING, inference: null, ttft: null, tokensPerSecond: null };
    expect(timingLine(timing, null)).toBe(
      'communication 1.1 ms · queue 0.4 ms · service 3.2 ms · inference not reported · total 224 ms · first token not reported · tokens/s not reported · tokens not reported',
    );
  });

  it('shows of a batch its failed rows first, then bar, counts, rate and where the rows lie', () => {
    const progress = {
      total: 1000,
      done: 240,
      failed: 10,
      kept: 40,
      inFlight: 16,
      rate: 41.2,
      eta: '2026-03-01T14:20:00Z',
      tokens: 0,
    };
    const failures = [{ key: 'a17', code: 'CONTEXT_EXCEEDED', message: '4000 tokens and 2048 fit' }];
    const { 'text/plain': text } = renderBundle(testBatch({ name: 'prompts', progress, failures }), VIEW);
    expect(text.split('\n')).toEqual([
      '◐ prompts · RUNNING · smollm2',
      '✕ a17: 4000 tokens and 2048 fit (CONTEXT_EXCEEDED)',
      '… and 9 more failed',
      '▮▮▮▮▮▯▯▯▯▯▯▯▯▯▯▯▯▯▯▯ 250/1000 rows · 10 failed · 16 under way · 40 from before · 41/s · done about 2026-03-01 14:20 UTC',
      'rows in /tmp/answers.jsonl',
    ]);
  });

  it('shows of a service what it does, why it scaled, and how each instance is', () => {
    const since = '2026-03-01T14:02:30.000Z';
    const instances = [
      testInstance({ since, probe: null, bootstrap: null }),
      testInstance({
        index: 2,
        since,
        state: 'INITIALIZING',
        progress: { text: 'loading weights', share: 0.38 },
        bootstrap: null,
      }),
      testInstance({ index: 3, since, state: 'STOPPED', probe: null, bootstrap: null }),
    ];
    const load = { outstanding: 3, queued: 2, p50: 217, p99: 900, perSecond: 12.2, failed: 1, recent: [] };
    const scale = { min: 1, max: 4, wanted: 2, why: '1 → 2: 14 requests for 1 instance, for 3 s', since };
    const method = { name: 'fit', description: null, input: {}, output: {}, chunk: null };
    const record = testService({ name: 'fit', instances, load, scale, methods: [method] });
    expect(renderBundle(record, VIEW)['text/plain'].split('\n')).toEqual([
      '● fit · READY · smollm2 · 1/2 ready',
      'scales between 1 and 4, now 2: 1 → 2: 14 requests for 1 instance, for 3 s',
      '3 under way · 2 waiting · 12/s · p50 217 ms · p99 900 ms · 1 failed',
      'methods: fit',
      '● instance 1 · READY · not probed yet · http://127.0.0.1:41233',
      '◐ instance 2 · INITIALIZING · loading weights, 38 %',
      '■ instance 3 · STOPPED',
    ]);
  });

  it('shows of an answer its value, and who was asked before', () => {
    const request = { op: 'embed', input: ['a', 'b'] } as const;
    const error = { code: 'SERVICE_UNREACHABLE', message: 'nothing listens there', retryable: true, ids: {} } as const;
    const answer = testAnswer({
      state: 'DONE',
      request: { ...request, input: [...request.input] },
      value: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      attempts: [{ instance: 2, error }],
    });
    const { 'text/plain': text } = renderBundle(answer, VIEW);
    expect(text).toContain('2 vectors of 3 numbers');
    expect(text).toContain('instance 2 was asked before. Nothing listens there (SERVICE_UNREACHABLE).');
  });

  it('leads with the remedy where something failed, and ends with the code', () => {
    const error = {
      code: 'CONTEXT_EXCEEDED',
      message: '4000 tokens and 2048 fit',
      hint: 'ask a shorter question',
      retryable: false,
      ids: {},
    } as const;
    expect(errorSentence(error)).toBe('Ask a shorter question. 4000 tokens and 2048 fit (CONTEXT_EXCEEDED).');
    expect(renderBundle(testAnswer({ state: 'FAILED', error }), VIEW)['text/html']).toContain(
      'Ask a shorter question.',
    );
  });

  it('lets no text become markup', () => {
    const plain = renderBundle(testAnswer({ text: 'x' }), VIEW)['text/html'];
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", 'b', '/', ' ', '\n'), minLength: 1 }),
        (text) => {
          const html = renderBundle(testAnswer({ text: `x${text}` }), VIEW)['text/html'];
          expect(tags(html)).toEqual(tags(plain));
        },
      ),
    );
  });

  it('shows lost contact beside the last known state', () => {
    const contact = { lost: true, since: '2026-03-01T14:02:30.000Z' };
    const { 'text/plain': text } = renderBundle(testPilot({ contact }), VIEW);
    expect(text).toContain('ACTIVE · This machine · 2 cores · unreachable since 2026-03-01 14:02 UTC');
  });
});

describe('words', () => {
  it('give every state a shape and a word', () => {
    for (const [kind, machine] of [
      ['pilot', pilotStates],
      ['task', taskStates],
      ['service', serviceStates],
      ['answer', requestStates],
    ] as const) {
      for (const state of machine.states) expect(stateMark(kind, state).shape).toMatch(/[●◐◌✕■]/);
      expect(stateMark(kind, 'FAILED')).toEqual({ shape: '✕', word: 'FAILED', tone: 'bad' });
    }
    for (const state of instanceStates.states) expect(stateMark('instance', state).word).not.toBe('');
    expect(stateMark('pilot', 'DRAINING').word).toBe('finishing');
    expect(stateMark('instance', 'UNHEALTHY').word).toBe('not answering');
  });

  it('write times as people compare them', () => {
    expect([0.44, 9.96, 217.4, 9_999, 12_340, 75_000].map(formatMilliseconds)).toEqual([
      '0.4 ms',
      '10 ms',
      '217 ms',
      '9999 ms',
      '12.3 s',
      '1 min 15 s',
    ]);
  });
});
