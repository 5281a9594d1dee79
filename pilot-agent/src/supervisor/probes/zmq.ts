import type { Endpoint, Method, ProbeResult } from '@pilothouse/sdk/shared';
import { Look } from './result.js';

/** What a service of our own protocol says of itself. */
export interface ZmqProbe {
  readonly probe: ProbeResult;
  /** Requests that it has, by whomever; undefined: it did not answer. */
  readonly load: { readonly outstanding: number; readonly queued: number } | undefined;
  readonly methods: readonly Method[] | undefined;
}

/** Whether it answers a ping of the service protocol. */
export async function probeZmq(endpoint: Endpoint, name: string, timeout: number, methods: boolean): Promise<ZmqProbe> {
  // Loaded with the first service that needs it: an agent without one starts faster.
  const { ping, targetOf } = await import('@pilothouse/sdk/direct');
  const look = new Look();
  try {
    const pong = await ping(await targetOf(endpoint, { name }), { timeout, methods });
    const { ok, text, outstanding, queued } = pong;
    return { probe: look.result(ok, text), load: { outstanding, queued }, methods: pong.methods ?? undefined };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { probe: look.result(false, text), load: undefined, methods: undefined };
  }
}
