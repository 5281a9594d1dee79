import { type Duration, formatSeconds, PilothouseError, type TaskRecord, toSeconds } from '@pilothouse/sdk/internal';
import type { Context } from '../../context.js';
import type { Explanation } from '../../engines/index.js';
import { keptTask } from '../../picture/tasks/task-record.js';
import { explainStaging } from '../data/staging-words.js';
import type { PilotManager } from '../pilot-manager.js';
import { demandOf, fits } from './demand.js';

/** Why a task is not further than it is, in words; from its agent, where one has it. */
export async function explainTask(context: Context, pilots: PilotManager, task: TaskRecord): Promise<Explanation> {
  if (task.error !== null) {
    return {
      text: task.error.message,
      evidence: [task.error.evidence, task.stderrTail].filter((line) => typeof line === 'string'),
    };
  }
  if (task.endedAt !== null) return { text: ending(task), evidence: [] };
  const pilot = task.pilot === null ? undefined : context.picture.get('pilot', task.pilot);
  if (pilot === undefined) return explainUnbound(context, task);
  if (task.contact.lost) {
    return { text: `not reachable since ${task.contact.since}; it goes on where it runs`, evidence: [] };
  }
  if (pilot.state !== 'ACTIVE' && pilot.state !== 'DRAINING') {
    const why = pilots.explain(pilot.id);
    return { text: `waits for pilot "${pilot.name}", which is ${pilot.state}: ${why.text}`, evidence: why.evidence };
  }
  const data = explainStaging(task);
  if (data !== null) return data;
  const told = await askAgent(context, pilot.id, task.id);
  if (told !== null) return told;
  return {
    text: task.reason?.text ?? `it is ${task.state}`,
    evidence: task.reason?.evidence === undefined ? [] : [task.reason.evidence],
  };
}

/** What its agent says; null where it cannot be asked or knows nothing of it. */
async function askAgent(context: Context, pilot: string, id: string): Promise<Explanation | null> {
  if (!context.link.connected(pilot)) return null;
  try {
    return (await context.link.ask(pilot, { type: 'explain', id })).explanation ?? null;
  } catch (error) {
    // It may just be starting again; what it said last is known.
    if (error instanceof PilothouseError && (error.code === 'NODE_LOST' || error.code === 'TASK_NOT_FOUND'))
      return null;
    throw error;
  }
}

function explainUnbound(context: Context, task: TaskRecord): Explanation {
  const { picture } = context;
  const { tasks } = picture;
  const slot = tasks.find(task.id);
  const waits = slot === undefined ? [] : (keptTask(tasks, slot).after ?? []);
  const open = waits.filter(({ task: id }) => {
    const other = tasks.find(id);
    return other !== undefined && !tasks.isFinal(other);
  });
  const evidence = open.map(({ task: id }) => `waits for task ${id}, which is ${picture.get('task', id)?.state}`);
  const offer = slot === undefined ? undefined : tasks.offerOf(slot);
  const names = (offer?.pilots ?? []).map((id) => picture.get('pilot', id)?.name ?? id);
  if (offer !== undefined) {
    return { text: `waits for room on one of ${names.length} pilots: ${names.join(', ')}`, evidence };
  }
  const live = [...picture.list('pilot')].filter(({ endedAt }) => endedAt === null);
  const need = demandOf(task.description);
  if (live.length > 0 && !live.some((pilot) => fits(need, pilot))) {
    return {
      text: `no live pilot is large enough for ${need.cores} cores and ${need.gpus} GPUs; start one`,
      evidence: [
        ...evidence,
        ...live.map(({ name, resources }) => `${name}: ${resources.cores} cores, ${resources.gpus} GPUs`),
      ],
    };
  }
  if (live.length === 0) return { text: 'no pilot; start one', evidence };
  const { expectedDuration } = task.description;
  const long = expectedDuration === undefined ? 'it' : `it, which takes about ${duration(expectedDuration)}`;
  return {
    text: `no live pilot has time left for ${long}; start one with a longer runtime`,
    evidence: [
      ...evidence,
      ...live.map(({ name, state, endsAt }) => `${name}: ${state}${endsAt === null ? '' : `, until ${endsAt}`}`),
    ],
  };
}

function duration(given: Duration): string {
  return formatSeconds(toSeconds(given));
}

function ending({ state, exitCode, resumedFrom }: TaskRecord): string {
  if (resumedFrom !== null) return `taken over from ${resumedFrom}, which did the same before`;
  return exitCode === null ? `it is ${state}` : `it ended with ${exitCode}`;
}
