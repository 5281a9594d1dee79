import type { BridgeApi } from '../client/api.js';
import { newId } from '../ids/ids.js';
import { type AnyRecord, type CredentialReport, pilotDescriptionSchema, type Target } from '../schemas/index.js';
import { PROTOCOL } from '../schemas/system.js';
import { toSeconds } from '../units/duration.js';
import { renderBundle } from '../views/bundle.js';
import { memoryAnswers } from './memory-answers.js';
import { memoryBatches } from './memory-batches.js';
import type { MemoryBridge } from './memory-bridge.js';
import { MemoryRunner } from './memory-runner.js';
import { memoryServices } from './memory-services.js';
import { MemorySets } from './memory-sets.js';
import { memoryTasks } from './memory-tasks.js';
import { MemoryViews } from './memory-views.js';
import { explain } from './memory-words.js';
import { parse } from './parse.js';
import { testPilot } from './records.js';
import type { Script } from './script.js';

/** The contract over a {@link MemoryBridge}: the same calls, answered at once. */
export function memoryApi(bridge: MemoryBridge, script: Script): BridgeApi {
  const credentials = new Map<string, CredentialReport>();
  const runner = new MemoryRunner(bridge, script);
  const sets = new MemorySets(bridge, runner);
  const views = new MemoryViews(bridge);

  const target = ({ kind, id }: Target): AnyRecord => bridge.find(kind, id);

  const startPilot = (description: unknown, name: string | undefined, owner: string, key: string) => {
    const resolved = parse(pilotDescriptionSchema, description);
    const { id } = bridge.once(key, () =>
      testPilot({ description: resolved, owner, name: name ?? resolved.name ?? newId('pilot') }),
    );
    return bridge.find('pilot', id);
  };
  return {
    system: {
      hello: async () => ({
        protocol: PROTOCOL,
        version: 'test',
        epoch: 1,
        host: 'test',
        user: 'test',
        home: '/test',
        startedAt: new Date().toISOString(),
      }),
      doctor: async () => ({ checks: [] }),
      stop: async () => ({}),
      watch: async (input, options) => bridge.watch({ after: input.after?.seq, ids: input.ids }, options?.signal),
      grant: async () => ({}),
      clean: async () => ({ removed: [], kept: { files: 0, bytes: 0 } }),
      forget: async (thing) => {
        bridge.remove(target(thing).id);
        return {};
      },
    },
    engines: { list: async () => [...script.engines] },
    pilots: {
      submit: async ({ description, origin, key }) => startPilot(description, undefined, origin.name, key),
      ensure: async ({ name, description, origin, key }) =>
        bridge.list('pilot', false).find((pilot) => pilot.name === name) ??
        startPilot(description, name, origin.name, key),
      get: async ({ ref }) => bridge.find('pilot', ref),
      list: async (input) => bridge.list('pilot', input?.all ?? false),
      preview: async ({ description }) => {
        const { cores, runtime } = parse(pilotDescriptionSchema, description);
        return { sentence: `${cores} cores for ${JSON.stringify(runtime)}`, script: '' };
      },
      explain: async ({ ref }) => explain(bridge.find('pilot', ref)),
      end: async ({ ref }) => {
        const { id } = bridge.find('pilot', ref);
        bridge.move(id, 'CANCELED');
        return bridge.find('pilot', id);
      },
      drain: async ({ ref }) => {
        const { id } = bridge.find('pilot', ref);
        bridge.move(id, 'DRAINING');
        return bridge.find('pilot', id);
      },
      suspend: async ({ ref }) => bridge.put({ ...bridge.find('pilot', ref), suspended: true }),
      resume: async ({ ref }) => bridge.put({ ...bridge.find('pilot', ref), suspended: false }),
      keep: async ({ ref }) => bridge.put({ ...bridge.find('pilot', ref), idle: null }),
      extend: async ({ ref, by }) => {
        const pilot = bridge.find('pilot', ref);
        const ends = Date.parse(pilot.endsAt ?? pilot.createdAt) + toSeconds(by) * 1000;
        return bridge.put({ ...pilot, endsAt: new Date(ends).toISOString() });
      },
      timeline: async ({ ref }) => {
        const { node, resources } = bridge.find('pilot', ref);
        return {
          nodes: node === null ? [] : [{ name: node, cores: resources.cores, gpus: [] }],
          spans: [],
          truncated: false,
        };
      },
    },
    ...memoryTasks({ bridge, runner, sets, script }),
    services: memoryServices(bridge, script),
    batches: memoryBatches(bridge, script),
    answers: memoryAnswers(bridge, script),
    credentials: {
      list: async () => [...credentials.values()],
      put: async ({ name }) => {
        const report = { name, createdAt: new Date().toISOString(), lastUsedAt: null };
        credentials.set(name, report);
        return report;
      },
      remove: async ({ name }) => {
        credentials.delete(name);
        return {};
      },
    },
    views: {
      render: async (input) => renderBundle(bridge.spoken(target(input.target)), input.viewId),
      join: async ({ viewId, target: shown, role }, options) => views.join(viewId, shown, role, options?.signal),
      confirm: async ({ viewId }) => {
        views.confirm(viewId);
        return {};
      },
    },
  };
}
