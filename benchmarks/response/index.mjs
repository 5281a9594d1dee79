// The figures of calls: straight at instances, through the gateway, and the peers, in one run.
import { createStack } from '../lib/stack.mjs';
import { median, round } from '../lib/stats.mjs';
import { direct, middle } from './direct.mjs';
import { gateway } from './gateway.mjs';
import { PEERS, preparePeers, runPeer } from './peers.mjs';

/**
 * Runs every part in turn.
 *
 * @param flags - `--peers ray-serve,vllm-router` runs these beside; `--direct` leaves the gateway out
 */
export async function response(say, flags) {
  const names = peersOf(flags);
  if (names.length > 0) await preparePeers(say);
  const stack = createStack();
  let calls;
  try {
    calls = await direct(say, stack.env);
  } finally {
    await stack.close();
  }
  const through = flags.includes('--direct') ? { spread: {} } : await gateway(say, flags);
  const beside = {};
  for (const name of names) {
    say(`peer: ${name}`);
    beside[name] = await runPeer(name);
    say(JSON.stringify(beside[name]));
  }
  return figures(calls, through, beside);
}

function figures({ beside, python, strong, weak }, { spread, ...through }, peers) {
  const ratio = (share) => beside.map((one) => one.direct[share] / one.raw[share]);
  const { ru_zmq: ru, ...own } = python;
  return {
    direct_ms: middle(beside.map((one) => one.direct)),
    raw_ms: middle(beside.map((one) => one.raw)),
    direct_ratio: round(median(ratio('p50'))),
    direct_ratio_p99: round(median(ratio('p99'))),
    ...Object.fromEntries(Object.entries(own).map(([name, repeats]) => [`${name}_ms`, middle(repeats)])),
    ...through,
    strong,
    weak,
    peers: { ...(ru === undefined ? {} : { ru_zmq_ms: middle(ru) }), ...peers },
    spread: {
      direct_ms: beside.map((one) => one.direct),
      raw_ms: beside.map((one) => one.raw),
      direct_ratio: ratio('p50').map(round),
      direct_ratio_p99: ratio('p99').map(round),
      ...python,
      ...spread,
    },
  };
}

function peersOf(flags) {
  const at = flags.indexOf('--peers');
  if (at === -1) return [];
  const names = (flags[at + 1] ?? '').split(',').filter(Boolean);
  const unknown = names.filter((name) => !PEERS.includes(name));
  if (names.length === 0 || unknown.length > 0) throw new Error(`--peers takes some of: ${PEERS.join(',')}`);
  return names;
}
