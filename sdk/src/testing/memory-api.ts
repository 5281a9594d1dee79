import type { BridgeApi } from '../client/api.js';
import { isFinal } from '../client/picture/final.js';
import { PilothouseError } from '../errors/index.js';
import { newId } from '../ids/ids.js';
import {
  type AnswerRecord,
  type AnyRecord,
  attachDescriptionSchema,
  type CredentialReport,
  chatOptionsSchema,
  type Message,
  pilotDescriptionSchema,
  serviceDescriptionSchema,
  type Target,
  type Timing,
} from '../schemas/index.js';
import { PROTOCOL } from '../schemas/system.js';
import { toSeconds } from '../units/duration.js';
import { renderBundle } from '../views/bundle.js';
import type { MemoryBridge } from './memory-bridge.js';
import { MemoryRunner } from './memory-runner.js';
import { MemorySets } from './memory-sets.js';
import { memoryTasks } from './memory-tasks.js';
import { MemoryViews } from './memory-views.js';
import { explain, slice } from './memory-words.js';
import { parse } from './parse.js';
import { testAnswer, testPilot, testService } from './records.js';
import type { Script } from './script.js';

const TIMING: Timing = {
  total: 10,
  client: null,
  communication: 1,
  queue: 1,
  service: 2,
  inference: 6,
  ttft: 3,
  gaps: { p50: 1, p99: 2 },
  tokensPerSecond: 100,
};

/** The contract over a {@link MemoryBridge}: the same calls, answered at once. */
export function memoryApi(bridge: MemoryBridge, script: Script): BridgeApi {
  const credentials = new Map<string, CredentialReport>();
  const runner = new MemoryRunner(bridge, script);
  const sets = new MemorySets(bridge, runner);
  const views = new MemoryViews(bridge);

  const target = ({ kind, id }: Target): AnyRecord => bridge.find(kind, id);

  const ask = (
    service: string,
    messages: Message[],
    options: AnswerRecord['options'],
    owner: string,
    key: string,
    retryOf: string | null,
  ) => {
    const found = bridge.find('service', service);
    const answer = bridge.once(key, () =>
      testAnswer({
        state: 'QUEUED',
        service: { id: found.id, name: found.name },
        instance: null,
        messages,
        options,
        owner,
        retryOf,
      }),
    );
    if (answer.state === 'QUEUED') void speak(answer.id, messages);
    return answer;
  };

  /** Never rejects: what goes wrong is the answer's end. */
  const speak = async (id: string, messages: readonly Message[]) => {
    try {
      bridge.move(id, 'STREAMING', { instance: { id: newId('instance'), index: 1 } });
      let count = 0;
      for await (const piece of script.answer(messages)) {
        if (isFinal(bridge.find('answer', id))) return;
        bridge.say(id, piece);
        count += 1;
      }
      const usage = { promptTokens: messages.length, completionTokens: count };
      bridge.move(id, 'DONE', { timing: TIMING, usage, finishReason: 'stop' });
    } catch (cause) {
      const error =
        cause instanceof PilothouseError
          ? cause
          : new PilothouseError('BACKEND_FAILED', cause instanceof Error ? cause.message : String(cause), { cause });
      bridge.move(id, 'FAILED', { error: error.toJSON() });
    }
  };

  const startPilot = (description: unknown, name: string | undefined, owner: string, key: string) => {
    const resolved = parse(pilotDescriptionSchema, description);
    const { id } = bridge.once(key, () =>
      testPilot({ description: resolved, owner, name: name ?? resolved.name ?? newId('pilot') }),
    );
    return bridge.find('pilot', id);
  };
  const startService = (description: unknown, name: string | undefined, owner: string, key: string) => {
    const resolved = parse(serviceDescriptionSchema, description);
    const template = resolved.template ?? name ?? null;
    const { id } = bridge.once(key, () =>
      testService({
        description: resolved,
        template,
        owner,
        name: name ?? resolved.name ?? template ?? newId('service'),
      }),
    );
    return bridge.find('service', id);
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
    services: {
      templates: async () => [...script.templates],
      start: async ({ description, origin, key }) => startService(description, undefined, origin.name, key),
      ensure: async ({ name, description, origin, key }) =>
        bridge.list('service', false).find((service) => service.name === name) ??
        startService(description, name, origin.name, key),
      attach: async ({ description, origin, key }) => {
        const resolved = parse(attachDescriptionSchema, description);
        const { id } = bridge.once(key, () =>
          testService({
            origin: 'attached',
            description: resolved,
            template: null,
            pilot: null,
            url: resolved.url,
            credential: resolved.credential ?? null,
            owner: origin.name,
            name: resolved.name ?? new URL(resolved.url).hostname,
          }),
        );
        return bridge.find('service', id);
      },
      get: async ({ ref }) => bridge.find('service', ref),
      list: async (input) => bridge.list('service', input?.all ?? false),
      explain: async ({ ref }) => explain(bridge.find('service', ref)),
      log: async ({ ref, offset = 0, limit = 65536 }) => {
        bridge.find('service', ref);
        return slice('', offset, limit);
      },
      probe: async ({ ref }) => bridge.find('service', ref),
      stop: async ({ ref }) => {
        const { id } = bridge.find('service', ref);
        bridge.move(id, 'STOPPED');
        return bridge.find('service', id);
      },
    },
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
    answers: {
      chat: async ({ service, messages, options, origin, key }) =>
        ask(service, messages, parse(chatOptionsSchema, options ?? {}), origin.name, key, null),
      get: async ({ ref }) => ({ ...bridge.find('answer', ref), text: bridge.text(ref) }),
      list: async (input) => bridge.list('answer', input?.all ?? false),
      follow: async ({ id, from = 0 }, options) => bridge.follow(bridge.find('answer', id).id, from, options?.signal),
      stop: async ({ ref }) => {
        const { id } = bridge.find('answer', ref);
        bridge.move(id, 'CANCELED', { timing: TIMING, finishReason: 'stopped' });
        return bridge.find('answer', id);
      },
      retry: async ({ ref, origin, key }) => {
        const { service, messages, options, id } = bridge.find('answer', ref);
        return ask(service.id, messages, options, origin.name, key, id);
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
