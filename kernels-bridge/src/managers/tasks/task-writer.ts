import { type PilotRecord, pilotStates, type ResolvedTaskEntry, type SpooledTask } from '@pilothouse/sdk/internal';
import type { Context } from '../../context.js';
import type { TakenOver, TaskGroup } from '../../picture/tasks/facts.js';
import type { Offer } from '../../picture/tasks/task-table.js';
import type { SpoolEntry, TasksEntry } from '../../spool/spool-writer.js';
import type { LogEntry } from '../../store/log-records.js';
import type { RemoteServices } from '../remote-services.js';
import type { Dependencies } from './dependencies.js';
import type { Placement, Target } from './placement.js';

/** Tasks of one line of log or spool: a line is read at one go. */
const TASKS_PER_LINE = 1000;

/** A task about to be written. */
export interface Draft {
  readonly task: SpooledTask & { readonly entry: ResolvedTaskEntry };
  /** The same without its id, as it is written. */
  readonly text: string;
  readonly target: Target;
  readonly key?: string | undefined;
  readonly retryOf?: string | undefined;
  readonly resumed?: TakenOver | undefined;
}

/** What drafts written together have in common. */
export interface Common {
  readonly set: string | null;
  readonly group: TaskGroup;
}

/** Drafts that go to one place together. */
export interface Piece {
  readonly drafts: readonly Draft[];
  readonly pilot: string | null;
  readonly free: boolean;
  readonly offer: Offer | undefined;
}

/** Writes tasks into log and spools, from one text. */
export class TaskWriter {
  constructor(
    private readonly context: Context,
    private readonly placement: Placement,
    private readonly dependencies: Dependencies,
    /** Called with a pilot that had ended when its tasks were written. */
    private readonly pilotOver: (pilot: string) => void,
    private readonly remotes: RemoteServices,
  ) {}

  /**
   * Writes tasks and nudges the agents that get them. The log first: a task that stood in a spool alone would run without
   * anybody knowing whose it is.
   *
   * @param after - records that follow in the log at once
   * @param durable - `soon` for calls of functions, which would wait longer for the disk than for their result
   */
  async write(
    common: Common,
    drafts: readonly Draft[],
    durable: true | 'soon' = true,
    after: readonly LogEntry[] = [],
  ): Promise<void> {
    const { context } = this;
    const pieces = [...this.#pieces(drafts)];
    await context.events.append([...pieces.map((piece) => this.#logged(common, piece)), ...after], durable);
    for (const { drafts: ones } of pieces)
      this.dependencies.placed(ones.filter(({ task }) => task.after !== undefined));
    await this.spool(common, pieces, durable);
  }

  /** Puts pieces into the spools of their pilots. */
  async spool(common: Common, pieces: readonly Piece[], durable: true | 'soon' = true): Promise<void> {
    const { context } = this;
    const byPilot = new Map<string, SpoolEntry[]>();
    const services = new Set<string>();
    for (const piece of pieces) {
      // Drafts that name services have targets of their own: most pieces have none to look through.
      for (const { task } of piece.drafts) for (const id of task.services ?? []) services.add(id);
      for (const pilot of piece.pilot === null ? (piece.offer?.pilots ?? []) : [piece.pilot]) {
        const entries = byPilot.get(pilot);
        const entry = spoolEntry(common, piece);
        if (entries === undefined) byPilot.set(pilot, [entry]);
        else entries.push(entry);
      }
    }
    const writes = [...byPilot].map(async ([pilot, entries]) => {
      const told = services.size === 0 ? [] : await this.remotes.entries(pilot, services);
      context.link.spooled(pilot, await context.spool.append(pilot, [...told, ...entries], durable));
      // The pilot may have ended while this was written: then these end with it or move on, instead of waiting for ever.
      if (isOver(context.picture.get('pilot', pilot))) this.pilotOver(pilot);
    });
    await (writes.length === 1 ? writes[0] : Promise.all(writes));
  }

  /** Runs of drafts that go to the same place, in their order: the numbers of a set's tasks are those of its lines. */
  *#pieces(drafts: readonly Draft[]): Generator<Piece, void, void> {
    for (let start = 0; start < drafts.length; ) {
      const first = drafts[start];
      if (first === undefined) return;
      const { target, resumed } = first;
      let end = start + 1;
      for (; end < drafts.length && end - start < TASKS_PER_LINE; end += 1) {
        const next = drafts[end];
        if (next?.target !== target || (next.resumed === undefined) !== (resumed === undefined)) break;
      }
      const run = drafts.slice(start, end);
      start = end;
      const { pilot, free, candidates } = target;
      if (resumed !== undefined) yield { drafts: run, pilot: null, free, offer: undefined };
      else if (candidates.length === 0) yield { drafts: run, pilot, free, offer: undefined };
      else {
        for (const { offer, items } of this.placement.offers(run, candidates)) {
          yield { drafts: items, pilot: null, free, offer };
        }
      }
    }
  }

  #logged({ set, group }: Common, { drafts, pilot, free, offer }: Piece): LogEntry {
    const first = drafts[0];
    const resumed: Record<string, TakenOver> = {};
    const retryOf: Record<string, string> = {};
    // Drafts of one piece are alike: what the first has not, none has.
    for (const draft of first?.resumed === undefined && first?.retryOf === undefined ? [] : drafts) {
      if (draft.resumed !== undefined) resumed[draft.task.id] = draft.resumed;
      if (draft.retryOf !== undefined) retryOf[draft.task.id] = draft.retryOf;
    }
    return {
      type: 'tasks.submitted',
      set,
      pilot,
      ...(free ? {} : { named: true }),
      ...(offer === undefined ? {} : { offer: { id: offer.id, pilots: [...offer.pilots] } }),
      ...(set === null ? { owner: group.owner, template: group.template, env: { ...group.env }, cwd: group.cwd } : {}),
      ...(first?.key === undefined ? {} : { keys: drafts.map(({ key }) => key ?? '') }),
      ...(first?.resumed === undefined ? {} : { resumed }),
      ...(first?.retryOf === undefined ? {} : { retryOf }),
      tasks: drafts.map(({ task }) => task),
      texts: drafts.map(({ text }) => text),
    };
  }
}

function isOver(pilot: PilotRecord | undefined): boolean {
  return pilot === undefined || pilotStates.isFinal(pilot.state);
}

function spoolEntry({ set, group }: Common, { drafts, free, offer }: Piece): TasksEntry {
  const { template, env, cwd } = group;
  return {
    type: 'tasks',
    batch: { set, template, env: { ...env }, cwd, tasks: drafts.map(({ task }) => ({ id: task.id })) },
    texts: drafts.map(({ text }) => text),
    ...(offer === undefined ? {} : { offer: offer.id }),
    ...(free && offer === undefined ? { giveBack: true } : {}),
  };
}
