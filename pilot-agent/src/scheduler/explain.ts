import { formatBytes } from '@pilothouse/sdk/shared';
import type { Explanation } from './demand.js';
import { count } from './impossible.js';
import type { Running } from './ledger.js';
import type { Line, Lines } from './lines.js';
import { WHOLE } from './nodes.js';
import { clock, demandWords, type LazyReason, reasonFor, type View } from './reasons.js';

/** So many of those who hold what is missing are named. */
const HOLDERS = 3;

/** What an explanation is drawn from. */
export interface ExplainView extends View {
  /** Why nothing of its own needs matters at the moment. */
  readonly stopped: Pick<LazyReason, 'words'> | undefined;
}

/** Why somebody waits, in words, from what is so at this moment. Looks at everybody: for when it is asked, not for each event. */
export function explainWaiting(ticket: number, view: ExplainView): Explanation {
  const { lines, keeping, stopped } = view;
  const line = lines.lineOf(ticket);
  if (stopped || line === undefined) return { text: stopped?.words() ?? 'waits', evidence: [] };
  const reason = reasonFor(line.shape, ticket, view);
  const evidence = [place(line, ticket, lines)];
  if (keeping && keeping.ticket === ticket) {
    evidence.push(`${count(keeping.nodes.size, 'node')} kept for it: nothing new there delays it`);
  } else if (keeping) {
    const first = lines.tickets.applicant(keeping.ticket).id;
    const where = `${count(keeping.nodes.size, 'node')} ${keeping.nodes.size === 1 ? 'is' : 'are'} kept`;
    evidence.push(`${where} for ${first}, which needs ${demandWords(keeping.line.shape)} and was passed often`);
  }
  const held = holders(line, reason.code, view);
  return { text: [reason.words(), ...held.slice(0, 1)].join('; '), evidence: [...held, ...evidence] };
}

/** Position among all who wait. */
function place(line: Line, ticket: number, lines: Lines): string {
  const { tickets } = lines;
  const own = lines.rankOf(line, ticket);
  let before = 0;
  let all = 0;
  let first: { readonly id: string; readonly rank: number; readonly line: Line } | undefined;
  for (const other of lines.active) {
    all += other.count;
    for (let at = other.head; at >= 0 && lines.rankOf(other, at) < own; at = tickets.next[at] ?? -1) before += 1;
    const rank = lines.rank(other);
    if (rank < own && (first === undefined || rank < first.rank)) {
      first = { id: tickets.applicant(other.head).id, rank, line: other };
    }
  }
  const ahead = first ? `; the first is ${first.id}, which needs ${demandWords(first.line.shape)}` : '';
  return `number ${before + 1} of ${all} who wait${ahead}`;
}

/** Who holds what is missing, on the node that has most of it free or is freed soonest. */
function holders(line: Line, code: LazyReason['code'], { pool }: ExplainView): string[] {
  const { shape } = line;
  const amount = amountOf(code);
  const node = shape.slots === 1 && amount ? bestNode(line, code, pool.nodes) : undefined;
  const there = (one: Running) => one.nodes.some((share) => node === undefined || share.node === node);
  const held = (one: Running) =>
    one.nodes.reduce((sum, share) => sum + (node === undefined || share.node === node ? (amount?.(share) ?? 0) : 0), 0);
  const found = pool.ledger.running
    .filter((one) => there(one) && (amount ? held(one) > 0 : !one.shape.light))
    .sort((a, b) => held(b) - held(a) || (a.until ?? Number.POSITIVE_INFINITY) - (b.until ?? Number.POSITIVE_INFINITY));
  const name = node === undefined || pool.nodes.count === 1 ? '' : ` on ${nameOf(node, pool.nodes.capacities)}`;
  return found.slice(0, HOLDERS).map((one) => {
    const what = amount ? amountWords(code, held(one)) : count(one.nodes.length, 'node');
    const lasting = one.kind === 'service' ? ' as a service' : '';
    return `${one.id} holds ${what}${name}${lasting}${one.until === undefined ? '' : ` until ${clock(one.until)}`}`;
  });
}

type Amount = (share: { readonly coreCount: number; readonly gpu: number; readonly memory: number }) => number;

function amountOf(code: LazyReason['code']): Amount | undefined {
  if (code === 'WAITS_FOR_CORES') return ({ coreCount }) => coreCount;
  if (code === 'WAITS_FOR_GPUS') return ({ gpu }) => gpu;
  if (code === 'WAITS_FOR_MEMORY') return ({ memory }) => memory;
  return undefined;
}

function amountWords(code: LazyReason['code'], amount: number): string {
  if (code === 'WAITS_FOR_GPUS') return String(amount / WHOLE);
  return code === 'WAITS_FOR_MEMORY' ? formatBytes(amount) : String(amount);
}

/** The node with most of what is missing free, among those that are large enough. */
function bestNode({ shape }: Line, code: LazyReason['code'], nodes: ExplainView['pool']['nodes']): number | undefined {
  let best: number | undefined;
  let most = -1;
  for (const [node, { cores, gpus, memory }] of nodes.capacities.entries()) {
    if (cores < shape.cores || gpus.length * WHOLE < shape.gpu || (memory !== null && memory < shape.memory)) continue;
    const free =
      code === 'WAITS_FOR_CORES'
        ? nodes.freeCores[node]
        : code === 'WAITS_FOR_GPUS'
          ? nodes.freeGpu[node]
          : nodes.freeMemory[node];
    if ((free ?? 0) <= most) continue;
    most = free ?? 0;
    best = node;
  }
  return best;
}

function nameOf(node: number, capacities: ExplainView['pool']['nodes']['capacities']): string {
  return capacities[node]?.name ?? `node ${node}`;
}
