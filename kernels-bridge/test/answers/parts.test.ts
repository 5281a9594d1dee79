import { type Chunk, newId, quantile } from '@pilothouse/sdk/internal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { AnswerArchive } from '../../src/managers/answers/answer-archive.js';
import { CallsLog } from '../../src/managers/answers/calls-log.js';
import { KeptAnswer } from '../../src/managers/answers/kept-answer.js';
import { expired, isCurrent } from '../../src/managers/answers/retention.js';
import { timingOf } from '../../src/managers/answers/timing.js';
import { ORIGIN, openAnswers, scratchFolder, serviceAt } from './harness.js';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-21T12:00:00.000Z');

/** An answer that ended some milliseconds before NOW; null: under way. */
function kept(endedAgo: number | null, text = 'x'): KeptAnswer {
  const id = newId('answer');
  const t = new Date(NOW).toISOString();
  const chunks: Chunk[] = [{ text, at: 1 }];
  const answer = new KeptAnswer(newId('key'), answerRecord(id, t), chunks);
  if (endedAgo !== null) answer.enter('DONE', new Date(NOW - endedAgo).toISOString());
  return answer;
}

function answerRecord(id: string, t: string) {
  const { id: service, name } = serviceAt([]);
  return {
    kind: 'answer' as const,
    id,
    name: id,
    seq: 0,
    state: 'QUEUED' as const,
    since: t,
    reason: null,
    contact: { lost: false, since: t },
    error: null,
    times: { NEW: t, QUEUED: t },
    owner: ORIGIN.name,
    createdAt: t,
    endedAt: null,
    service: { id: service, name },
    instance: null,
    request: { op: 'chat' as const, messages: [{ role: 'user' as const, content: 'hi' }] },
    options: { timeout: '10m' },
    text: null,
    chunks: 0,
    finishReason: null,
    usage: null,
    timing: null,
    model: null,
    revision: null,
    value: null,
    attempts: [],
    retryOf: null,
  };
}

describe('retention', () => {
  test('seven days after the end, never while under way; on the lists for an hour, or while a cell waits for it', () => {
    const fresh = kept(HOUR - 1);
    const [old, shown] = [kept(HOUR + 1), kept(HOUR + 1)];
    const tooOld = kept(7 * 24 * HOUR + 1);
    const running = kept(null);
    shown.views.add(newId('view'));
    tooOld.views.add(newId('view'));
    const answers = [fresh, old, shown, tooOld, running];
    expect(expired(answers, NOW)).toEqual([tooOld]);
    expect(answers.filter((answer) => isCurrent(answer, NOW))).toEqual([fresh, shown, tooOld, running]);
  });

  test('the oldest go where all together take too much', () => {
    const big = 'x'.repeat(30 * 1024 * 1024);
    const [first, second, third] = [kept(3_000, big), kept(2_000, big), kept(1_000, big)];
    expect(
      expired(
        [third, first, second].filter((answer) => answer !== undefined),
        NOW,
      ),
    ).toEqual([first]);
  });
});

describe('the calls log', () => {
  test('written anew, it has the same answers, also when it stops half-way', async () => {
    const scratch = scratchFolder();
    const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const answers = [kept(1_000, 'one'), kept(2_000, 'two')];
    const archive = new AnswerArchive(scratch.path, 1, systemClock, logger, () => undefined);
    await archive.load();
    for (const answer of answers) {
      await archive.add(answer);
      await archive.end(answer, {
        type: 'ended',
        at: systemClock.iso(),
        id: answer.id,
        state: 'DONE',
        finishReason: 'stop',
        usage: null,
        timing: null,
        model: null,
        revision: null,
        value: null,
        attempts: [],
        error: null,
      });
    }
    await archive.close();
    // Eight earlier files and one more: what they hold is gathered into one.
    for (let epoch = 2; epoch <= 9; epoch += 1) {
      const log = new CallsLog(scratch.path, epoch, systemClock);
      for await (const _ of log.read());
      await log.append([{ type: 'viewed', id: answers[0]?.id ?? '', view: newId('view'), confirmed: false }], true);
      await log.close();
    }
    const gathered = await openAnswers(scratch.path, 10);
    await gathered.close();
    const log = new CallsLog(scratch.path, 11, systemClock);
    expect(await log.earlier()).toMatchObject({ files: 1 });
    const records = [];
    for await (const record of log.read()) records.push(record);
    expect(records.map(({ type }) => type)).toEqual(['rewritten', 'kept', 'kept']);
    expect(records[1]).toMatchObject({
      chunks: [{ text: 'one' }],
      views: expect.arrayContaining([expect.any(String)]),
    });
    const again = await openAnswers(scratch.path, 12);
    expect(again.answers.list(true).map(({ id }) => id)).toEqual(answers.map(({ id }) => id));
    await again.close();
    scratch.dispose();
  });
});

describe('timing', () => {
  const milliseconds = fc.double({ min: 0, max: 1e6, noNaN: true });

  test('the parts add up to the total and none is negative, whatever was measured', () => {
    fc.assert(
      fc.property(
        fc.record({
          sentAt: fc.option(milliseconds),
          endedAt: milliseconds,
          chunksAt: fc.array(milliseconds).map((at) => at.sort((a, b) => a - b)),
          connect: milliseconds,
          roundTrip: milliseconds,
          inference: fc.option(milliseconds),
          queued: fc.option(milliseconds),
          usage: fc.option(fc.record({ promptTokens: fc.nat(), completionTokens: fc.nat() })),
        }),
        (measured) => {
          const { total, communication, queue, service, inference } = timingOf(measured);
          expect(communication + queue + service + (inference ?? 0)).toBeCloseTo(total, 3);
          for (const part of [communication, queue, service, inference ?? 0]) expect(part).toBeGreaterThanOrEqual(0);
          expect(inference === null).toBe(measured.inference === null);
        },
      ),
    );
  });

  test('gaps and rate come from the pieces and the server’s own count', () => {
    const timing = timingOf({
      sentAt: 5,
      endedAt: 130,
      chunksAt: [30, 50, 70, 130],
      connect: 1,
      roundTrip: 2,
      inference: 100,
      queued: null,
      usage: { promptTokens: 3, completionTokens: 6 },
    });
    expect(timing).toMatchObject({
      total: 130,
      queue: 5,
      communication: 3,
      service: 22,
      inference: 100,
      ttft: 30,
      tokensPerSecond: 50,
    });
    expect(timing.gaps?.p50).toBe(20);
  });

  test('quantiles lie within the values', () => {
    expect(quantile([], 0.5)).toBeNull();
    fc.assert(
      fc.property(
        fc.array(milliseconds, { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const value = quantile(values, share) ?? Number.NaN;
          expect(value).toBeGreaterThanOrEqual(Math.min(...values));
          expect(value).toBeLessThanOrEqual(Math.max(...values));
        },
      ),
    );
  });
});
