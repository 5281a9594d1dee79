// The figures of the bridge: how soon, how quiet, how fast.

import { createStack } from '../lib/stack.mjs';
import { median, round } from '../lib/stats.mjs';
import { eventsPerSecond } from './events.mjs';
import { firstTask } from './first-task.mjs';
import { idle } from './idle.mjs';
import { tokenDelay } from './token-delay.mjs';

const REPEATS = 5;

/** Runs every part in turn, each with a stack of its own. */
export async function bridge(say) {
  const withStack = async (part) => {
    const stack = createStack();
    process.env.PILOTHOUSE_HOME = stack.home;
    process.env.PILOTHOUSE_RUNTIME_DIR = stack.runtimeDir;
    try {
      return await part(stack);
    } finally {
      await stack.close();
    }
  };
  say('first task, 10 times');
  const first = await withStack((stack) => firstTask(stack, 10));
  say(`first task: ${first.map(Math.round).join(' ')} ms`);
  const events = [];
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    events.push(await withStack(eventsPerSecond));
    say(`events per second: ${Math.round(events.at(-1))}`);
  }
  say('token delay beside a relay echo, 2,000 tokens at 50/s, five times');
  const delays = await withStack((stack) => tokenDelay(stack, REPEATS, say));
  say('idle for 120 s');
  const quiet = await withStack((stack) => idle(stack, 120));
  return {
    first_task_ms: round(median(first)),
    idle_cpu_percent: round(quiet.bridge.cpuPercent),
    rss_mib: round(quiet.bridge.rssMib),
    token_delay_ms_p99: round(median(delays.map(({ delay }) => delay.p99))),
    relay_echo_ms_p99: round(median(delays.map(({ echo }) => echo.p99))),
    events_per_s: Math.round(median(events)),
    spread: {
      first_task_ms: first.map(round),
      agent_idle_cpu_percent: round(quiet.agent.cpuPercent),
      agent_rss_mib: round(quiet.agent.rssMib),
      warden_idle_cpu_percent: round(quiet.warden.cpuPercent),
      token_delay_ms: delays.map(({ delay }) => delay),
      relay_echo_ms: delays.map(({ echo }) => echo),
      events_per_s: events.map(Math.round),
    },
  };
}
