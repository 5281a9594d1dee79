import { LiveSession } from '../client/session.js';
import type { Picture, Session } from '../client/types.js';
import type { PilothouseError } from '../errors/index.js';
import type { AnyRecord } from '../schemas/index.js';
import { PROTOCOL } from '../schemas/system.js';
import { reply } from './memory-answers.js';
import { memoryApi } from './memory-api.js';
import { MemoryBridge } from './memory-bridge.js';
import { MemoryConnector } from './memory-connector.js';
import type { Script } from './script.js';

/** What a test session starts with, and what it says. */
export interface TestSessionOptions extends Partial<Script> {
  readonly name?: string | undefined;
  /** What there is at the start; see `testPilot` and its siblings. */
  readonly picture?: Partial<Picture> | undefined;
}

/** The hand of the test on its session. */
export interface TestControls {
  /** Adds or changes a record, as if the bridge had. */
  put(record: AnyRecord): void;
  /** Moves a thing to another state. */
  move(id: string, state: string, changes?: object): void;
  remove(id: string): void;
  /** Takes the connection away until `session.reconnect()`. */
  disconnect(error?: PilothouseError): void;
}

const HELLO = {
  protocol: PROTOCOL,
  version: 'test',
  epoch: 1,
  host: 'test',
  user: 'test',
  home: '/test',
  startedAt: new Date(0).toISOString(),
};

/**
 * A session in memory: the SDK's own client over an in-memory router, without bridge, processes or network. Pilots are
 * active at once, tasks end as scripted, answers say what `answer` yields.
 *
 * @example
 * ```ts
 * const { session } = createTestSession({ answer: () => ['Hello', ' world'] });
 * const llm = await session.services.ensure('smollm2');
 * (await llm.chat('Hi').result()).text; // 'Hello world'
 * ```
 */
export function createTestSession({ name = 'test', picture = {}, ...script }: TestSessionOptions = {}): {
  readonly session: Session;
  readonly controls: TestControls;
} {
  const { pilots = [], tasks = [], sets = [], services = [], answers = [], batches = [] } = picture;
  const bridge = new MemoryBridge([...pilots, ...tasks, ...sets, ...services, ...answers, ...batches]);
  const api = memoryApi(bridge, {
    engines: [],
    templates: [],
    answer: () => ['Hello', ', ', 'world', '.'],
    reply,
    task: () => ({ exitCode: 0, stdout: '' }),
    functions: {},
    files: {},
    ...script,
  });
  const connector = new MemoryConnector(api, HELLO);
  const session = new LiveSession(connector, () => ({ name, kind: 'node', env: {} }));
  return {
    session,
    controls: {
      put: (record) => void bridge.put(record),
      move: (id, state, changes) => bridge.move(id, state, changes),
      remove: (id) => bridge.remove(id),
      disconnect: (error) => connector.disconnect(error),
    },
  };
}
