import {
  type Duration,
  formatSeconds,
  PilothouseError,
  type PilotRecord,
  pilotStates,
  type SpoolRecord,
  type Timeline,
  toSeconds,
} from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';
import { stateOf } from '../picture/tasks/facts.js';
import type { PilotManager } from './pilot-manager.js';

type Control = Extract<SpoolRecord, { type: 'control' }>['action'];

/** What users do with a pilot between its start and its end, and what it did meanwhile. */
export class PilotControl {
  constructor(
    private readonly context: Context,
    private readonly pilots: PilotManager,
  ) {}

  /** Tells its agent; what comes of it is in the picture once the agent says so. */
  async tell(ref: string, action: Control): Promise<PilotRecord> {
    const pilot = this.#live(ref);
    const { spool, link } = this.context;
    link.spooled(pilot.id, await spool.append(pilot.id, [{ type: 'control', action }]));
    return this.pilots.get(pilot.id);
  }

  /**
   * Gives a pilot more time.
   *
   * @throws PilothouseError ENGINE_UNAVAILABLE where there is no more to give
   */
  async extend(ref: string, by: Duration): Promise<PilotRecord> {
    const pilot = this.#live(ref);
    const { context } = this;
    if (pilot.endsAt === null) {
      throw new PilothouseError('ENGINE_UNAVAILABLE', `pilot "${pilot.name}" has not started: its time has not begun`, {
        hint: 'Extend it once it runs.',
        ids: { pilot: pilot.id },
      });
    }
    const endsAt = Date.parse(pilot.endsAt) + toSeconds(by) * 1000;
    const limit = (await context.engines.get(pilot.engine).capabilities()).endsAt;
    if (limit !== null && endsAt > Date.parse(limit)) {
      const left = formatSeconds((Date.parse(limit) - context.clock.now()) / 1000);
      throw new PilothouseError('ENGINE_UNAVAILABLE', `the job around pilot "${pilot.name}" ends in ${left}`, {
        hint: 'Start a longer job, or let tasks with a checkpoint go on in the next pilot.',
        ids: { pilot: pilot.id },
        field: 'by',
      });
    }
    const entry = { type: 'extend' as const, endsAt: new Date(endsAt).toISOString() };
    context.link.spooled(pilot.id, await context.spool.append(pilot.id, [entry]));
    return this.pilots.get(pilot.id);
  }

  /** Who held which cores and GPUs. */
  timeline(ref: string, since: string | undefined, limit: number): Timeline {
    const pilot = this.pilots.get(ref);
    const { tasks } = this.context.picture;
    const { spans, truncated } = tasks.timelines.of(pilot.id, since === undefined ? 0 : Date.parse(since), limit);
    return {
      nodes: nodesOf(pilot),
      spans: spans.flatMap((span) => {
        const placement = tasks.placements.get(span.placed);
        // Taken off the lists meanwhile, and its slot perhaps another's.
        if (placement === undefined || !tasks.taken(span.slot) || tasks.createdAt(span.slot) !== span.created)
          return [];
        const group = tasks.setOf(span.slot)?.id ?? null;
        const state = span.end === null ? tasks.state(span.slot) : stateOf(span.state);
        const { node, cores, gpus } = placement;
        const { start, end } = span;
        return [
          { id: tasks.idOf(span.slot), name: tasks.nameOf(span.slot), group, node, cores, gpus, start, end, state },
        ];
      }),
      truncated,
    };
  }

  #live(ref: string): PilotRecord {
    const pilot = this.pilots.get(ref);
    if (!pilotStates.isFinal(pilot.state)) return pilot;
    throw new PilothouseError('PILOT_ENDED', `pilot "${pilot.name}" has ended`, {
      hint: 'Start a new pilot, for example with pilots.ensure.',
      ids: { pilot: pilot.id },
    });
  }
}

/** The nodes of a pilot: on this machine one, whose cores and GPUs are counted from 0. */
function nodesOf({ node, resources }: PilotRecord): Timeline['nodes'] {
  const gpus = Array.from({ length: resources.gpus }, (_, index) => String(index));
  return node === null ? [] : [{ name: node, cores: resources.cores, gpus }];
}
