import { formatBytes } from '@pilothouse/sdk/shared';
import type { WaitReason } from './demand.js';
import type { Finder } from './finder.js';
import { Gangs } from './gangs.js';
import { count, slotWords } from './impossible.js';
import type { Keeping } from './keeping.js';
import type { Lines } from './lines.js';
import { WHOLE } from './nodes.js';
import type { Pool } from './pool.js';
import type { Shape } from './shape.js';

/** What reasons are drawn from. */
export interface View {
  readonly pool: Pool;
  readonly lines: Lines;
  readonly finder: Finder;
  readonly keeping: Keeping | undefined;
}

/** A reason whose words are made only where they are said. */
export interface LazyReason {
  readonly code: WaitReason['code'];
  words(): string;
}

/** Why one who stands in a line has not been started; looks at few nodes only, however many there are. */
export function reasonFor(shape: Shape, ticket: number, view: View): LazyReason {
  const { pool, finder } = view;
  if (finder.nearness(shape, ticket) === 'nowhere') {
    return {
      code: 'WAITS_FOR_TAGS',
      words: () => `waits for ${quoted(shape.near)}, which came earlier and waits itself`,
    };
  }
  const short = shape.slots > 1 ? gangShortage(shape, ticket, view) : shortage(shape, view);
  if (short) return short;
  if (finder.isPicky(shape)) return { code: 'WAITS_FOR_TAGS', words: () => tagWords(shape, pool) };
  const { keeping } = view;
  if (keeping && keeping.ticket !== ticket) {
    const first = view.lines.tickets.applicant(keeping.ticket).id;
    const wanted = demandWords(keeping.line.shape);
    return { code: 'WAITS_FOR_TURN', words: () => `waits for its turn; ${first} goes first, which needs ${wanted}` };
  }
  const others = view.lines.tickets.count - 1;
  return {
    code: 'WAITS_FOR_TURN',
    words: () => `waits for its turn; ${count(others, 'other')} ${others === 1 ? 'waits' : 'wait'} too`,
  };
}

/** Why one is not started who would not end in time. */
export function noPilotTime(expects: number, endsAt: number, now: number): LazyReason {
  return {
    code: 'WAITS_FOR_PILOT_TIME',
    words: () =>
      `takes ${seconds(expects)}, and the pilot ends in ${seconds((endsAt - now) / 1000)}, at ${clock(endsAt)}`,
  };
}

/** The whole of what a shape asks for: `4 nodes with 8 cores each`. */
export function demandWords(shape: Shape): string {
  if (shape.slots === 1) return slotWords(shape);
  if (shape.perNode > 0) return `${count(shape.nodes, 'node')} with ${slotWords(shape, shape.perNode)} each`;
  return `${shape.slots} × ${slotWords(shape)}`;
}

/** Time of day, as the node's clock has it. */
export function clock(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** `2 h 5 min`, `40 s`. */
export function seconds(amount: number): string {
  const whole = Math.max(0, Math.round(amount));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  const rest = minutes % 60;
  if (minutes < 60) return `${minutes} min`;
  return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

function gangShortage(shape: Shape, ticket: number, { pool, keeping }: View): LazyReason | undefined {
  const own = keeping?.ticket === ticket ? keeping.offered : 0;
  const room = pool.gangs.room(shape) + own;
  const wanted = demandWords(shape);
  if (room >= Gangs.need(shape)) return undefined;
  return {
    code: 'WAITS_FOR_NODES',
    words: () => {
      const free =
        shape.perNode > 0 ? `${room} of ${pool.nodes.count} ${room === 1 ? 'is' : 'are'}` : `room for ${room} is`;
      return `waits for ${wanted}; ${free} free`;
    },
  };
}

/** What is short for one slot, dimension by dimension, on the node that has most of it. */
function shortage(shape: Shape, { pool, keeping }: View): LazyReason | undefined {
  const { nodes, tree } = pool;
  if (shape.light) {
    if (nodes.firstLight() < nodes.count) return undefined;
    const running = pool.ledger.light;
    const words = () => `waits for another to end; ${running} without a core of their own run already`;
    return { code: 'WAITS_FOR_ROOM', words };
  }
  let { cores, gpu, memory } = tree.most;
  let fits = tree.find(shape) >= 0;
  for (const node of keeping?.nodes.keys() ?? []) {
    cores = Math.max(cores, nodes.freeCores[node] ?? 0);
    gpu = Math.max(gpu, nodes.freeGpu[node] ?? 0);
    memory = Math.max(memory, nodes.freeMemory[node] ?? 0);
    fits ||= nodes.fits(node, shape);
  }
  if (fits) return undefined;
  const text = (wanted: string, free: string, is: string, all: string) => {
    if (nodes.count === 1) return `waits for ${wanted}; ${free} of ${all} ${is} free`;
    return `waits for ${wanted} on one node; ${free === '0' ? 'none is' : `at most ${free} of ${all} ${is}`} free`;
  };
  if (shape.cores > cores) {
    const words = () => text(count(shape.cores, 'core'), String(cores), areOf(cores), String(nodes.largest.cores));
    return { code: 'WAITS_FOR_CORES', words };
  }
  if (shape.gpu > gpu) {
    const free = gpu / WHOLE;
    const words = () => text(count(shape.gpu / WHOLE, 'GPU'), String(free), areOf(free), String(nodes.largest.gpus));
    return { code: 'WAITS_FOR_GPUS', words };
  }
  if (shape.memory > memory) {
    const words = () => text(formatBytes(shape.memory), formatBytes(memory), 'is', formatBytes(nodes.largest.memory));
    return { code: 'WAITS_FOR_MEMORY', words };
  }
  return {
    code: 'WAITS_FOR_NODES',
    words: () => `waits for ${slotWords(shape)} on one node; no node has all of it free`,
  };
}

function tagWords({ tags: own, near, apart }: Shape, { tags }: Pool): string {
  const beside = near.some((tag) => tags.runs(tag)) ? ` with ${quoted(near)}` : '';
  const without = apart.length > 0 ? ` without ${quoted(apart)}` : '';
  const welcome = tags.repels(own) ? ` where nothing keeps apart from ${quoted(own)}` : '';
  return `waits for room on a node${beside}${without}${welcome}`;
}

function quoted(tags: readonly string[]): string {
  return tags.map((tag) => `"${tag}"`).join(' or ');
}

function areOf(amount: number): string {
  return amount === 1 ? 'is' : 'are';
}
