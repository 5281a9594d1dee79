// The gateway beside what it stands in front of, and beside a reverse proxy that does nothing but pass on.
import { join } from 'node:path';
import { connect } from '@pilothouse/sdk/node';
import { createStack } from '../lib/stack.mjs';
import { median, round } from '../lib/stats.mjs';
import { runClients, startService } from './processes.mjs';

const PROGRAMS = join(import.meta.dirname, 'programs');
const NODE = process.execPath;
const REPEATS = 5;
const ALONE = 2000;
const CLIENTS = 16;
const TOGETHER = 16_000;
const STREAMS = 8;
const TOKENS = 300;
const PACE = 10;

/** Figures of the gateway: the bridge of this product, on its socket, in front of an attached server that computes nothing. */
export async function gateway(say) {
  const stack = createStack();
  process.env.PILOTHOUSE_HOME = stack.home;
  process.env.PILOTHOUSE_RUNTIME_DIR = stack.runtimeDir;
  const { env } = stack;
  const backend = await startService([NODE, join(PROGRAMS, 'openai-noop.mjs'), String(TOKENS), String(PACE)], { env });
  const { port } = backend.reached;
  const bare = join(stack.root, 'bare.sock');
  const proxy = await startService([NODE, join(PROGRAMS, 'bare-proxy.mjs'), bare, String(port)], { env });
  const session = await connect({ name: 'bench' });
  try {
    const url = `http://127.0.0.1:${port}/v1`;
    const routing = { concurrency: 256 };
    await session.services.attach({
      url,
      name: 'noop',
      api: 'openai',
      model: 'noop',
      allowUnauthenticated: true,
      routing,
    });
    const ways = {
      direct: { port },
      proxy: { socket: bare },
      gateway: { socket: join(stack.runtimeDir, 'bridge.sock') },
    };
    const client = async (way, load) => {
      const argv = [NODE, join(PROGRAMS, 'http-client.mjs'), JSON.stringify({ ...ways[way], ...load })];
      const { results } = await runClients([argv], { env });
      return results[0];
    };
    const alone = await each(Object.keys(ways), (way) => client(way, { clients: 1, requests: ALONE }));
    say(`one client, p50: ${words(alone, ({ p50 }) => p50)} ms`);
    const together = await each(['proxy', 'gateway'], (way) => client(way, { clients: CLIENTS, requests: TOGETHER }));
    say(`${CLIENTS} clients: ${words(together, ({ per_s: rate }) => rate)} requests/s`);
    const tokens = await each(Object.keys(ways), (way) => client(way, { clients: STREAMS, requests: 1, stream: true }));
    say(`tokens late, p99: ${words(tokens, ({ p99 }) => p99)} ms`);
    return figures(alone, together, tokens);
  } finally {
    await session.close();
    await Promise.all([backend.end(), proxy.end()]);
    await stack.close();
  }
}

/** Each way in turn, `REPEATS` times over, so that what else the machine does meets all alike. */
async function each(ways, run) {
  const results = Object.fromEntries(ways.map((way) => [way, []]));
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    for (const way of ways) results[way].push(await run(way));
  }
  return results;
}

function words(results, figure) {
  return Object.entries(results)
    .map(([way, repeats]) => `${way} ${round(median(repeats.map(figure)))}`)
    .join(', ');
}

function figures(alone, together, tokens) {
  const of = (samples, name) => samples.map((one) => one[name]);
  const added = alone.gateway.map(({ p50 }, repeat) => p50 - alone.direct[repeat].p50);
  const rate = (way) => of(together[way], 'per_s');
  const ratios = rate('gateway').map((one, repeat) => one / rate('proxy')[repeat]);
  const late = (way) => of(tokens[way], 'p99');
  const gaps = late('gateway').map((one, repeat) => one - late('direct')[repeat]);
  return {
    gateway_ms: { p50: round(median(of(alone.gateway, 'p50'))), p99: round(median(of(alone.gateway, 'p99'))) },
    proxy_ms: { p50: round(median(of(alone.proxy, 'p50'))), p99: round(median(of(alone.proxy, 'p99'))) },
    gateway_added_ms: round(median(added)),
    gateway_rps: Math.round(median(rate('gateway'))),
    proxy_rps: Math.round(median(rate('proxy'))),
    gateway_ratio: round(median(ratios)),
    token_added_ms_p99: round(median(gaps)),
    spread: {
      gateway_ms: of(alone.gateway, 'p50').map(round),
      gateway_added_ms: added.map(round),
      gateway_rps: rate('gateway').map(Math.round),
      proxy_rps: rate('proxy').map(Math.round),
      gateway_ratio: ratios.map(round),
      token_added_ms_p99: gaps.map(round),
      token_late_ms_p99: Object.fromEntries(Object.keys(tokens).map((way) => [way, late(way).map(round)])),
    },
  };
}
