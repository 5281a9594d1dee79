import {
  type InstanceRecord,
  type InstanceState,
  instanceStates,
  type ServiceRecord,
  serviceDescriptionSchema,
  serviceStates,
} from '@pilothouse/sdk/internal';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainService } from '../src/managers/service-explain.js';
import { beaten, instanceFacts, newInstance, scaled, serviceFacts } from '../src/picture/apply-services.js';
import { deriveServiceState } from '../src/picture/service-state.js';
import { serviceAt } from './answers/harness.js';

const T = '2026-01-01T00:00:00.000Z';
const CONTACT = { lost: false, since: T };

function service(states: readonly InstanceState[], more: Partial<ServiceRecord> = {}): ServiceRecord {
  const instances = states.map((state, index): InstanceRecord => {
    return { ...newInstance(`instance-${index}`, index + 1, T, CONTACT), state };
  });
  const description = serviceDescriptionSchema.parse({ command: ['x'], instances: Math.max(1, states.length) });
  return { ...serviceAt([]), description, state: 'STARTING', times: {}, instances, ...more };
}

const was = { state: 'READY', times: { READY: T } } as const;
const limits = (wanted: number) => ({ min: 0, max: 4, wanted, why: null, since: null });

describe('a service is', () => {
  it.each<[readonly InstanceState[], Partial<ServiceRecord>, string, string | undefined]>([
    [['READY', 'READY'], {}, 'READY', undefined],
    [['READY', 'INITIALIZING'], {}, 'DEGRADED', '1 of 2 ready; its process runs and loads; not ready yet'],
    [['NEW', 'NEW'], {}, 'STARTING', '0 of 2 ready; not yet with its pilot'],
    [['READY', 'BACKOFF'], was, 'DEGRADED', '1 of 2 ready; ended and starts again soon'],
    [['UNHEALTHY'], was, 'UNAVAILABLE', 'does not answer'],
    [['READY', 'LAUNCHING'], was, 'READY', '1 of 2 ready; its process starts'],
    [['READY', 'FAILED'], was, 'DEGRADED', '1 of 2 ready; an instance failed'],
    [['FAILED', 'STOPPED'], was, 'FAILED', undefined],
    [['STOPPED', 'STOPPED'], was, 'STOPPED', undefined],
    [[], { scale: limits(0) }, 'READY', 'sleeps; starts with the first request'],
    [['STOPPED'], { ...was, scale: limits(0) }, 'READY', 'sleeps; starts with the first request'],
    [['FAILED'], { ...was, scale: limits(1) }, 'FAILED', undefined],
    [['READY', 'STOPPED', 'STOPPED'], { ...was, scale: limits(1) }, 'READY', undefined],
    [[], { state: 'STOPPING', times: { STOPPING: T } }, 'STOPPED', undefined],
  ])('with instances %j: %j', (states, more, state, text) => {
    const derived = deriveServiceState(service(states, more), T);
    expect([derived.state, derived.reason?.text]).toEqual([state, text]);
  });

  it('degraded while an instance of those wanted is emptied, and whole where one fewer is wanted', () => {
    const two = service(['READY', 'READY'], was);
    const [first, ...rest] = two.instances;
    const instances = first === undefined ? [] : [{ ...first, draining: true }, ...rest];
    expect(deriveServiceState({ ...two, instances }, T)).toMatchObject({
      state: 'DEGRADED',
      reason: { text: '1 of 2 ready; instance 1 is started anew' },
    });
    const { description } = service(['READY'], was);
    expect(deriveServiceState({ ...two, description, instances }, T).state).toBe('READY');
  });
});

describe('what agents say of instances', () => {
  const states = fc.constantFrom(...instanceStates.states);
  const record = fc.record({ which: fc.nat(5), state: states, draining: fc.option(fc.boolean(), { nil: undefined }) });

  it('keeps the service in a state that can be, whatever comes, and never brings back what has ended', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(record, fc.nat(4)), { maxLength: 60 }), (said) => {
        let now = service(['NEW', 'NEW'], { scale: limits(2) });
        const ended = new Map<string, string>();
        for (const [index, one] of said.entries()) {
          const stamp = { seq: index, epoch: 1, t: T };
          const change =
            typeof one === 'number'
              ? serviceFacts(now, { ...stamp, type: 'service', id: now.id, scale: limits(one) })
              : instanceFacts(now, {
                  ...stamp,
                  type: 'instance',
                  service: now.id,
                  id: `instance-${one.which}`,
                  index: one.which + 1,
                  state: one.state,
                  ...(one.draining === undefined ? {} : { draining: one.draining }),
                });
          if (change === null) continue;
          const next = { ...now, ...change };
          expect(serviceStates.canReach(now.state, next.state) || now.state === next.state).toBe(true);
          for (const { id, state, draining, progress } of next.instances) {
            expect(ended.get(id) ?? state).toBe(state);
            if (!instanceStates.isFinal(state)) continue;
            ended.set(id, state);
            expect([draining, progress]).toEqual([false, null]);
          }
          expect(next.endedAt !== null).toBe(serviceStates.isFinal(next.state));
          now = next;
        }
      }),
    );
  });

  it('a number that somebody asked for stands in the description; limits stand in the report too', () => {
    const one = service(['READY'], was);
    expect(scaled(one, 3, T)).toMatchObject({ scale: null, description: { instances: 3 } });
    const instances = serviceDescriptionSchema.parse({ command: ['x'], instances: { min: 0, max: 4 } }).instances;
    expect(scaled(one, instances, T)).toMatchObject({ scale: { min: 0, max: 4, wanted: 1 } });
    const stamp = { seq: 1, epoch: 1, t: T, type: 'service', id: one.id } as const;
    expect(serviceFacts(one, { ...stamp, scale: { ...limits(2), min: 2, max: 2 } })).toMatchObject({
      scale: null,
      description: { instances: 2 },
    });
  });
});

describe('what beats say', () => {
  const failed = { ok: false, at: T, latency: 3, text: '503: Loading model' };
  const heard = (more: object) => ({ probes: {}, roles: {}, loading: {}, ...more });

  it('is in the record: probes by their role, and how far an instance has loaded', () => {
    const loading = service(['INITIALIZING', 'READY']);
    const change = beaten(
      loading,
      heard({
        probes: { 'instance-0': failed },
        roles: { 'instance-1': { liveness: { ...failed, ok: true } } },
        loading: { 'instance-0': { text: 'shard 1 of 4', share: 0.25 }, 'instance-1': { text: 'old', share: 1 } },
      }),
    );
    expect(change?.instances).toMatchObject([
      { probe: failed, probes: { readiness: failed }, progress: { share: 0.25 } },
      { probe: null, probes: { liveness: { ok: true } }, progress: null },
    ]);
    const now = { ...loading, ...change };
    expect(beaten(now, heard({ probes: { 'instance-0': failed } }))).toBeNull();
    const { text, evidence } = explainService({ ...now, reason: { code: 'X', text: 'it loads', since: T } }, null);
    expect(text).toBe('it loads');
    expect(evidence).toEqual([
      'instance 1 is INITIALIZING',
      'instance 1 loads: shard 1 of 4',
      `instance 1 readiness probe failed at ${T}: 503: Loading model`,
    ]);
  });

  it('of an instance that has ended is nothing', () => {
    expect(beaten(service(['STOPPED']), heard({ probes: { 'instance-0': failed } }))).toBeNull();
  });
});
