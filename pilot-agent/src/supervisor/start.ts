import {
  type Endpoint,
  formatSeconds,
  PilothouseError,
  type ProbeResult,
  type ProbeRole,
  type ServiceSpec,
  toSeconds,
} from '@pilothouse/sdk/shared';
import type { Looks } from './looks.js';
import { pause } from './pause.js';
import { warmUp } from './warm-up.js';

/** While it starts, an instance is looked at often: the time until it is ready is a figure that people read. */
const FIRST_PAUSE_MS = 15;
const LONGEST_PAUSE_MS = 250;
const GROWTH = 1.25;

/** How many instances start at the moment: the more there are, the less often each is asked. */
export interface Crowd {
  starting: number;
}

/** An instance that starts. */
export interface Starting {
  readonly service: ServiceSpec;
  readonly endpoint: Endpoint;
  readonly looks: Looks;
  readonly crowd: Crowd;
  readonly signal: AbortSignal;
  /** It has begun to answer, and warms up now. */
  warming(): void;
}

/**
 * Looks at an instance until it is ready.
 *
 * @returns the result that says so; undefined: the signal came first
 * @throws PilothouseError SERVICE_FAILED: it will not become ready; PORT_IN_USE: somebody else has its port
 */
export async function untilReady(starting: Starting): Promise<ProbeResult | undefined> {
  const { service, endpoint, looks, crowd, signal } = starting;
  const deadline = performance.now() + service.startTimeout * 1000;
  crowd.starting += 1;
  try {
    if (service.probes.startup !== null) await passes(starting, 'startup', deadline);
    const ready = await passes(starting, 'readiness', deadline);
    if (ready === undefined || signal.aborted) return undefined;
    await looks.checkOwner();
    if (service.warmUp !== null) {
      starting.warming();
      await warmUp(service, endpoint, await looks.key(), signal);
    }
    return signal.aborted ? undefined : ready;
  } finally {
    crowd.starting -= 1;
  }
}

async function passes(starting: Starting, role: ProbeRole, end: number): Promise<ProbeResult | undefined> {
  const { service, looks, crowd, signal } = starting;
  const probe = service.probes[role];
  if (probe === null || signal.aborted) return undefined;
  await pause(toSeconds(probe.initialDelay) * 1000, signal);
  const interval = toSeconds(probe.interval) * 1000;
  const own = role === 'startup' ? performance.now() + interval * probe.failures : end;
  const deadline = Math.min(own, end);
  let successes = 0;
  let wait = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    await worthIt(looks, role, deadline, signal);
    // Whoever listens is asked nothing, and shown no key, before it is known to be ours.
    if (!signal.aborted) await looks.checkOwner();
    if (signal.aborted) return undefined;
    const result = await looks.look(role);
    successes = result.ok ? successes + 1 : 0;
    if (successes >= probe.successes) return result;
    if (performance.now() >= deadline && !result.ok) {
      throw own < end ? notStarted(service, probe.failures, result) : tooSlow(service, result);
    }
    if (result.ok) await pause(interval, signal);
    else await pause(wait, signal);
    wait = Math.min(wait * GROWTH, Math.max(LONGEST_PAUSE_MS, crowd.starting * 2));
  }
  return undefined;
}

/** Waits for something to look at, but not beyond the deadline. */
async function worthIt(looks: Looks, role: ProbeRole, deadline: number, signal: AbortSignal): Promise<void> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), Math.max(0, deadline - performance.now()));
  const stop = (): void => late.abort();
  signal.addEventListener('abort', stop);
  try {
    await looks.whenWorthIt(role, late.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function tooSlow({ name, startTimeout }: ServiceSpec, { text }: ProbeResult): PilothouseError {
  return new PilothouseError('SERVICE_FAILED', `${name} was not ready within ${formatSeconds(startTimeout)}`, {
    hint: 'Give it a longer startTimeout, or look at what it writes.',
    evidence: `last probe: ${text}`,
  });
}

function notStarted({ name }: ServiceSpec, failures: number, { text }: ProbeResult): PilothouseError {
  return new PilothouseError('SERVICE_FAILED', `${name} did not start: its startup probe failed ${failures} times`, {
    hint: 'Give the startup probe more failures or a longer interval, or look at what it writes.',
    field: 'probes.startup',
    evidence: `last probe: ${text}`,
  });
}
