import {
  formatBytes,
  PilothouseError,
  type PilotRecord,
  type ResolvedTaskEntry,
  toBytes,
} from '@pilothouse/sdk/internal';

/** What a task or service asks of a pilot, all in all. */
export interface Demand {
  readonly cores: number;
  readonly gpus: number;
  /** bytes; null: whatever there is */
  readonly memory: number | null;
  readonly nodes: number;
}

/** What a task asks for: per rank where it has ranks, else per node. */
export function demandOf({ cores = 1, gpus = 0, memory, nodes, ranks }: ResolvedTaskEntry): Demand {
  const times = ranks ?? nodes ?? 1;
  return {
    cores: cores * times,
    gpus: gpus * times,
    memory: memory === undefined ? null : toBytes(memory) * times,
    nodes: nodes ?? 1,
  };
}

/** What a pilot cannot give of it, first; null when it fits. */
function excess(need: Demand, pilot: PilotRecord): { field: string; asked: string; held: string } | null {
  const { cores, gpus, memory } = pilot.resources;
  const nodes = pilot.description.nodes ?? 1;
  if (need.cores > cores) return { field: 'cores', asked: String(need.cores), held: String(cores) };
  if (need.gpus > gpus) return { field: 'gpus', asked: String(need.gpus), held: String(gpus) };
  if (need.nodes > nodes) return { field: 'nodes', asked: String(need.nodes), held: String(nodes) };
  if (need.memory !== null && memory !== null && need.memory > memory) {
    return { field: 'memory', asked: formatBytes(need.memory), held: formatBytes(memory) };
  }
  return null;
}

export function fits(need: Demand, pilot: PilotRecord): boolean {
  return excess(need, pilot) === null;
}

/**
 * Refuses what the pilot can never give.
 *
 * @param at - path of the description in what was sent, with a dot at its end
 * @throws PilothouseError INVALID_DESCRIPTION
 */
export function checkFits(need: Demand, pilot: PilotRecord, at: string): void {
  const more = excess(need, pilot);
  if (more === null) return;
  const { field, asked, held } = more;
  throw new PilothouseError(
    'INVALID_DESCRIPTION',
    `${field}: ${asked} asked for, pilot "${pilot.name}" holds ${held}`,
    {
      hint: `Ask for at most ${held}, or start a larger pilot.`,
      field: `${at}${field}`,
      ids: { pilot: pilot.id },
    },
  );
}
