import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backOff } from '../src/client/connection/back-off.js';
import { errorCodeSchema, errorDataSchema, PilothouseError, toErrorData } from '../src/errors/index.js';
import { ID_KINDS, idSchema, isId, nameSchema, newId, shortId } from '../src/ids/ids.js';
import { probeSchema } from '../src/schemas/probe.js';
import {
  instanceStates,
  pilotStates,
  requestStates,
  type StateMachine,
  serviceStates,
  taskStates,
} from '../src/states/index.js';
import { durationSchema, formatSeconds, toSeconds } from '../src/units/duration.js';
import { formatBytes, sizeSchema, toBytes } from '../src/units/size.js';

describe('durations', () => {
  it('are read as they are written', () => {
    expect(['90s', '30m', '2h', '1h30m', '500ms', '1.5d'].map(toSeconds)).toEqual([90, 1800, 7200, 5400, 0.5, 129600]);
    expect(toSeconds({ seconds: 5 })).toBe(5);
    for (const wrong of ['', 'soon', '5', '5 m', 'h', '1h 30m', '-5s']) {
      expect(durationSchema.safeParse(wrong).success, wrong).toBe(false);
      expect(() => toSeconds(wrong)).toThrow(RangeError);
    }
  });

  it('end where moments can no longer be reckoned with', () => {
    for (const long of ['3650d', { seconds: 1 }]) expect(durationSchema.safeParse(long).success).toBe(true);
    for (const long of ['3651d', '99999999d', { seconds: 1e300 }, `${'9'.repeat(400)}d`]) {
      expect(durationSchema.safeParse(long).error?.issues[0]?.message).toBe('at most 3650d');
    }
  });

  it('of a probe leave the server and the agent time for their work', () => {
    for (const wrong of ['0s', '99ms', '2d']) {
      expect(probeSchema.safeParse({ http: '/', interval: wrong }).success, wrong).toBe(false);
      expect(probeSchema.safeParse({ http: '/', timeout: wrong }).success, wrong).toBe(false);
    }
    expect(probeSchema.parse({ http: '/' })).toMatchObject({ interval: '5s', timeout: '2s' });
  });

  it('survive writing and reading, to the second where that is what is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 59 }), fc.nat(40), (s, m, h) => {
        expect(toSeconds(`${h}h${m}m${s}s`)).toBe(h * 3600 + m * 60 + s);
      }),
    );
    expect([0, 59, 61, 600, 5400, 200_000].map(formatSeconds)).toEqual([
      '0 s',
      '59 s',
      '1 min 1 s',
      '10 min',
      '1 h 30 min',
      '2 d 7 h',
    ]);
  });
});

describe('sizes', () => {
  it('are read and written with their units', () => {
    expect(toBytes('4GiB')).toBe(4 * 2 ** 30);
    expect(toBytes('1.5GB')).toBe(1.5e9);
    expect(formatBytes(4 * 2 ** 30)).toBe('4 GiB');
    for (const wrong of ['4', '4 gib', 'GiB', '-1MiB']) expect(sizeSchema.safeParse(wrong).success, wrong).toBe(false);
  });
});

describe('ids', () => {
  it('have the form of their kind and of no other', () => {
    for (const kind of ID_KINDS) {
      const id = newId(kind);
      expect(idSchema(kind).safeParse(id).success).toBe(true);
      expect(ID_KINDS.filter((other) => isId(other, id))).toEqual([kind]);
      expect(shortId(id)).toHaveLength(6);
    }
  });

  it('do not repeat', () => {
    expect(new Set(Array.from({ length: 5000 }, () => newId('task'))).size).toBe(5000);
  });

  it('differ from names, which start with a letter or digit', () => {
    for (const right of ['demo', 'a', 'smollm2-2', 'A.b_c']) expect(nameSchema.safeParse(right).success).toBe(true);
    for (const wrong of ['', '-x', 'a b', 'ü', 'x'.repeat(64)]) expect(nameSchema.safeParse(wrong).success).toBe(false);
  });
});

function checkMachine<S extends string>(machine: StateMachine<S>): void {
  for (const state of machine.states) {
    expect(machine.canReach(machine.initial, state)).toBe(true);
    expect([...machine.final].some((end) => machine.canReach(state, end))).toBe(true);
    if (machine.isFinal(state))
      expect(machine.states.filter((other) => machine.canReach(state, other))).toEqual([state]);
  }
}

describe('state machines', () => {
  it.each([
    ['pilot', () => checkMachine(pilotStates)],
    ['task', () => checkMachine(taskStates)],
    ['instance', () => checkMachine(instanceStates)],
    ['service', () => checkMachine(serviceStates)],
    ['request', () => checkMachine(requestStates)],
  ])('of a %s lead from the first state to every other, and from every one to an end', (_name, check) => check());
});

describe('errors', () => {
  it('cross the wire whole', () => {
    const text = fc.option(fc.string({ minLength: 1 }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.constantFrom(...errorCodeSchema.options),
        fc.string(),
        text,
        text,
        (code, message, hint, field) => {
          const error = new PilothouseError(code, message, { hint, field, ids: { task: 'task-1' } });
          const data = errorDataSchema.parse(JSON.parse(JSON.stringify(error)));
          expect(PilothouseError.from(data).toJSON()).toEqual(error.toJSON());
        },
      ),
    );
    expect(toErrorData(new Error('x'))).toEqual({ code: 'INTERNAL', message: 'x', retryable: false, ids: {} });
  });
});

describe('back-off', () => {
  it('grows, never beyond its longest, and starts again', () => {
    const delay = backOff(50, 1000);
    const delays = Array.from({ length: 12 }, () => delay.next());
    expect(delays[0]).toBeLessThanOrEqual(50);
    for (const value of delays) expect(value).toBeLessThanOrEqual(1000);
    expect(delays.at(-1)).toBeGreaterThanOrEqual(500);
    delay.reset();
    expect(delay.next()).toBeLessThanOrEqual(50);
  });
});
