import { nullTranslator } from '@jupyterlab/translation';
import type { EngineReport } from '@pilothouse/sdk/internal';
import { describe, expect, it } from 'vitest';
import { pilotFormSchema, pilotIssues, pilotUiSchema, withoutDefaults } from '../src/dialogs/pilot-form.js';

const trans = nullTranslator.load('pilothouse');
const engine: EngineReport = {
  name: 'local',
  title: 'This machine',
  available: true,
  reason: null,
  limits: { cores: 2, gpus: 0, memory: 8 * 2 ** 30, nodes: 1, runtime: 7200 },
  held: { cores: 1, gpus: 0, memory: 0 },
  evidence: '2 cores by CPU affinity',
  endsAt: null,
};

describe('form of a new pilot', () => {
  it('has a plain text field where the schema also takes an object', () => {
    const schema = pilotFormSchema([engine], engine, trans);
    expect(schema.properties?.runtime).toMatchObject({ type: 'string', title: 'Runtime', default: '1h' });
    expect(schema.properties?.memory).toMatchObject({ type: 'string', title: 'Memory' });
    expect(JSON.stringify(schema)).not.toContain('$ref');
  });

  it('says the limits as hints and leaves out what has one possible value', () => {
    const schema = pilotFormSchema([engine], engine, trans);
    expect(schema.properties?.cores).toMatchObject({ description: expect.stringContaining('At most 2 here, 1 free') });
    expect(pilotUiSchema([engine], engine)).toMatchObject({
      gpus: { 'ui:widget': 'hidden' },
      nodes: { 'ui:widget': 'hidden' },
    });
  });

  it('greys an engine that cannot be used and says why', () => {
    const off = { ...engine, available: false, reason: 'This is a login node.' };
    expect(pilotUiSchema([off], off)).toMatchObject({ engine: { 'ui:enumDisabled': ['local'] } });
    expect(pilotIssues({ cores: 1 }, off, trans)).toEqual([{ path: ['engine'], message: 'This is a login node.' }]);
  });

  it('finds every wrong field at once', () => {
    const issues = pilotIssues({ cores: 99, memory: '64GiB', runtime: 'soon', name: 'a b' }, engine, trans);
    const byField = Object.fromEntries(issues.map(({ path, message }) => [path.join('.'), message]));
    expect(byField.cores).toBe('This machine: at most 2 cores.');
    expect(byField.memory).toBe('This machine: at most 8 GiB.');
    expect(byField.runtime).toBe('Write a duration as 90s, 30m, 2h or 1h30m.');
    expect(byField.name).toContain('letters, digits');
  });

  it('writes only what differs from the defaults', () => {
    expect(withoutDefaults({ engine: 'local', cores: 2, gpus: 0, nodes: 1, runtime: '1h' })).toEqual({
      cores: 2,
      runtime: '1h',
    });
  });
});
