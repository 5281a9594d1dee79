import type { BridgeApi } from '../../src/client/api.js';
import { reply } from '../../src/testing/memory-answers.js';
import { memoryApi } from '../../src/testing/memory-api.js';
import { MemoryBridge } from '../../src/testing/memory-bridge.js';
import type { Script } from '../../src/testing/script.js';

/** The in-memory bridge, for a server that speaks the real protocol. */
export function memory(script: Partial<Script> = {}): { readonly bridge: MemoryBridge; readonly api: BridgeApi } {
  const bridge = new MemoryBridge();
  const api = memoryApi(bridge, {
    engines: [],
    templates: [],
    answer: () => ['Hello', ', ', 'world', '.'],
    reply,
    task: () => ({ exitCode: 0, stdout: 'out\n' }),
    functions: {},
    files: {},
    ...script,
  });
  return { bridge, api };
}
