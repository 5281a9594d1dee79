import type { ServiceRecord } from '../schemas/service-record.js';
import type { DirectCaller, DirectCallOptions, DirectOutcome, DirectRequest } from '../service-definition/direct.js';

/**
 * The direct way to services, loaded when it is first needed: most programs call none of their own, and ZeroMQ takes memory
 * and threads. There is none in Deno and Bun, where its addon stalls or ends the process, and where it is not installed.
 */
export class LazyDirectCaller implements DirectCaller {
  #loading: Promise<DirectCaller | undefined> | undefined;
  #closed = false;

  async call(
    record: ServiceRecord,
    request: DirectRequest,
    options: DirectCallOptions,
  ): Promise<DirectOutcome | undefined> {
    if (record.api !== 'zeromq' || record.origin !== 'launched') return undefined;
    this.#loading ??= load();
    const caller = await this.#loading;
    return this.#closed ? undefined : caller?.call(record, request, options);
  }

  close(): void {
    this.#closed = true;
    void this.#loading?.then((caller) => caller?.close());
  }
}

async function load(): Promise<DirectCaller | undefined> {
  if (!('node' in process.versions) || 'Deno' in globalThis || 'Bun' in globalThis) return undefined;
  try {
    const { DirectCalls } = await import('../direct/direct-calls.js');
    return new DirectCalls();
  } catch {
    // zeromq is an optional dependency; the bridge reaches every service.
    return undefined;
  }
}
