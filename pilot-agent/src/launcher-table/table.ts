import type { ResolvedTaskDescription } from '@pilothouse/sdk/shared';
import type { NodeShare } from '../scheduler/demand.js';
import { flux } from './flux.js';
import { fork } from './fork.js';
import { mpiexec } from './mpiexec.js';
import { srun } from './srun.js';

type Variables = Readonly<Record<string, string>>;

/** What is to be started, how often and where. */
export interface Launch {
  readonly ranks: number;
  readonly coresPerRank: number;
  readonly gpusPerRank: number;
  readonly bind: boolean;
  /** Where ranks go; one entry: this node. */
  readonly nodes: readonly { readonly name: string; readonly share: NodeShare }[];
  readonly env: Variables;
  /** What the launcher says of itself when it is asked for its version. */
  readonly version: string;
}

/** How ranks are started: one way of several, chosen by the description or by what is on the node. */
export interface Launcher {
  /** Program that must be on the PATH; undefined: none is needed. */
  readonly program: string | undefined;
  /** What to do when it is missing. */
  readonly remedy: string;
  /** The command that starts `argv` once per rank. @param program - file of the launcher's program */
  command(program: string, argv: readonly string[], launch: Launch): string[];
  /** Variables that the launcher itself needs. */
  variables(launch: Launch): Variables;
}

export const LAUNCHERS: Readonly<Record<NonNullable<ResolvedTaskDescription['launcher']>, Launcher>> = {
  fork,
  mpiexec,
  srun,
  flux,
};

/** Which launcher a task uses; undefined: it is one process and needs none. */
export function launcherOf(description: ResolvedTaskDescription, agent: Variables): Launcher | undefined {
  const { launcher, ranks = 1, usesMpi = ranks > 1 } = description;
  if (launcher !== undefined) return launcher === 'fork' && ranks === 1 ? undefined : LAUNCHERS[launcher];
  if (!usesMpi) return ranks === 1 ? undefined : fork;
  if (agent.SLURM_JOB_ID !== undefined) return srun;
  return agent.FLUX_URI === undefined ? mpiexec : flux;
}
