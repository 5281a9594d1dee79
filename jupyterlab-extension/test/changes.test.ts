import { nullTranslator } from '@jupyterlab/translation';
import { testAnswer, testBatch, testPilot, testService } from '@pilothouse/sdk/testing';
import { describe, expect, it } from 'vitest';
import { awaySummary, changesOf, endingSoon, statesOf } from '../src/plugins/changes.js';

const trans = nullTranslator.load('pilothouse');
const nothing = { pilots: [], sets: [], services: [], tasks: [], answers: [], batches: [] };

describe('what users are told', () => {
  it('tells once that a pilot is active and that a service failed', () => {
    const pilot = testPilot({ name: 'demo', state: 'ACTIVE' });
    const service = testService({ name: 'llm', state: 'FAILED' });
    const picture = { ...nothing, pilots: [pilot], sets: [], services: [service] };
    const before = new Map([
      [pilot.id, 'QUEUED'],
      [service.id, 'STARTING'],
    ]);
    expect(changesOf(before, picture).map(({ kind }) => kind)).toEqual(['pilot-active', 'service-failed']);
    expect(changesOf(statesOf(picture), picture)).toEqual([]);
    const batch = testBatch({ name: 'prompts', state: 'DONE' });
    const ended = { ...nothing, batches: [batch] };
    expect(changesOf(new Map([[batch.id, 'RUNNING']]), ended)).toEqual([{ kind: 'batch-ended', batch }]);
    expect(changesOf(new Map(), ended)).toEqual([]);
  });

  it('warns in the last ten minutes, but not about pilots that were asked for less', () => {
    const now = Date.parse('2026-01-01T12:00:00Z');
    const pilot = testPilot({ endsAt: '2026-01-01T12:09:00.000Z' });
    const short = { ...pilot, resources: { ...pilot.resources, runtime: 300 } };
    const later = { ...pilot, endsAt: '2026-01-01T12:30:00.000Z' };
    const soon = endingSoon({ ...nothing, pilots: [pilot, short, later] }, now);
    expect(soon).toEqual([pilot]);
  });

  it('sums up what ended while nobody looked', () => {
    const pilot = testPilot({ name: 'demo', state: 'DONE' });
    const answer = testAnswer({ state: 'DONE' });
    const seen = { [pilot.id]: 'ACTIVE', [answer.id]: 'STREAMING' };
    const picture = { ...nothing, pilots: [pilot], answers: [answer] };
    expect(awaySummary(seen, picture, trans)).toContain('pilot demo is DONE');
    expect(awaySummary(seen, picture, trans)).toContain('an answer of');
    expect(awaySummary(Object.fromEntries(statesOf(picture)), picture, trans)).toBeNull();
    expect(awaySummary(undefined, picture, trans)).toBeNull();
  });
});
