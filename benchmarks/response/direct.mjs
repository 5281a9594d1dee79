// Calls straight at instances: beside bare ZeroMQ in the same moment, from Python beside ru.zmq, and with many of both.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { REPO, VENV_PYTHON } from '../../scripts/lib/paths.mjs';
import { median, quantile, round } from '../lib/stats.mjs';
import { runClients, startService } from './processes.mjs';

const PROGRAMS = join(import.meta.dirname, 'programs');
const PEERS_PYTHON = join(process.env.PILOTHOUSE_PEERS_ENV ?? join(REPO, '.pilothouse', 'peers'), 'bin', 'python');
const NODE = process.execPath;
/** As a service record's routing has it. */
const ROUTING = { policy: 'least-outstanding', weights: {}, queue: 256, retries: 2, ejectAfter: 3, slowStart: '0s' };

/** What every request carries. */
const PAYLOAD = { x: [1, 2, 3], text: 'noop' };
const REQUESTS = 1024;
/** Enough for both sides to be compiled. */
const WARM_UP = 2048;
const REPEATS = 5;
const INSTANCES = [1, 2, 4, 8, 16];
const CLIENTS = 16;

/**
 * The figures of direct calls. CURVE is on everywhere but in ru.zmq, which has none.
 *
 * @param env - environment of the processes: a state root of their own
 */
export async function direct(say, env) {
  const beside = await besideBare(say, env);
  const python = await fromPython(say, env);
  const strong = [];
  const weak = [];
  for (const count of INSTANCES) {
    const services = await Promise.all(Array.from({ length: count }, () => startNoop(env)));
    try {
      strong.push({ instances: count, clients: CLIENTS, ...(await load(services, CLIENTS, REQUESTS / CLIENTS, env)) });
      weak.push({ instances: count, clients: count, ...(await load(services, count, REQUESTS, env)) });
      say(`${count} instances: ${strong.at(-1).per_s}/s from ${CLIENTS} clients, ${weak.at(-1).per_s}/s from ${count}`);
    } finally {
      await Promise.all(services.map((service) => service.end()));
    }
  }
  return { beside, python, strong, weak };
}

const startNoop = (env) => startService([NODE, join(PROGRAMS, 'noop-service.mjs')], { env });

async function besideBare(say, env) {
  const service = await startNoop(env);
  const raw = await startService([NODE, join(PROGRAMS, 'raw-server.mjs')], { env });
  try {
    const repeats = [];
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      const asked = clientOf([service], REQUESTS, { raw: raw.reached });
      const { results } = await runClients([asked], { env });
      repeats.push({ direct: quantiles(results[0].direct), raw: quantiles(results[0].raw) });
    }
    say(`direct and bare p50: ${repeats.map((one) => `${one.direct.p50} and ${one.raw.p50}`).join(', ')} ms`);
    return repeats;
  } finally {
    await Promise.all([service.end(), raw.end()]);
  }
}

/** The Python client at services in both languages, and ru.zmq's client at its server, in turns. */
async function fromPython(say, env) {
  const withPython = { ...env, PYTHONDONTWRITEBYTECODE: '1' };
  const service = await startNoop(env);
  const own = await startService([VENV_PYTHON, join(PROGRAMS, 'noop_service.py')], { env: withPython, from: 'stderr' });
  const hasRu = existsSync(PEERS_PYTHON);
  if (!hasRu) say('ru.zmq is left out: `npm test -- serving` installs radical.utils');
  const ru = hasRu
    ? await startService([PEERS_PYTHON, join(PROGRAMS, 'ru_server.py')], { env: withPython, from: 'stderr' })
    : undefined;
  const base = { count: REQUESTS, warmUp: WARM_UP, payload: PAYLOAD };
  const client = (services) => [
    VENV_PYTHON,
    join(PROGRAMS, 'direct_client.py'),
    JSON.stringify({ ...base, services: services.map(({ reached }) => reached) }),
  ];
  const variants = {
    python_to_typescript: client([service]),
    python_to_python: client([own]),
    ...(ru === undefined
      ? {}
      : { ru_zmq: [PEERS_PYTHON, join(PROGRAMS, 'ru_client.py'), JSON.stringify({ ...base, ...ru.reached })] }),
  };
  try {
    const repeats = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      for (const [name, argv] of Object.entries(variants)) {
        const { results } = await runClients([argv], { env: withPython });
        repeats[name].push(quantiles(results[0].direct));
      }
    }
    for (const [name, all] of Object.entries(repeats)) say(`${name} p50: ${all.map(({ p50 }) => p50).join(' ')} ms`);
    return repeats;
  } finally {
    await Promise.all([service, own, ru].map((one) => one?.end()));
  }
}

async function load(services, clients, count, env) {
  const argvs = Array.from({ length: clients }, () => clientOf(services, count));
  const { results, seconds } = await runClients(argvs, { env });
  const samples = results.flatMap((one) => one.direct);
  return { ...quantiles(samples), per_s: Math.round(samples.length / seconds) };
}

function clientOf(services, count, more = {}) {
  const instances = services.map(({ reached: { address, serverKey, keyFile } }, index) => ({
    id: `instance-${index + 1}`,
    index: index + 1,
    endpoint: { url: address, ports: {}, serverKey, keyFile },
  }));
  const asked = { instances, count, warmUp: WARM_UP, payload: PAYLOAD, routing: ROUTING, ...more };
  return [NODE, join(PROGRAMS, 'direct-client.mjs'), JSON.stringify(asked)];
}

/** Milliseconds. */
function quantiles(samples) {
  return { p50: round(quantile(samples, 0.5)), p99: round(quantile(samples, 0.99)) };
}

/** The middle of the repeats. */
export function middle(repeats) {
  return { p50: median(repeats.map(({ p50 }) => p50)), p99: median(repeats.map(({ p99 }) => p99)) };
}
