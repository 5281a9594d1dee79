import type { Launcher } from './table.js';

/** Slurm's own launcher, within the job that the pilot lives in. */
export const srun: Launcher = {
  program: 'srun',
  remedy: 'Run it on a pilot of Slurm, or take `launcher: "mpiexec"`.',
  command: (program, argv, { ranks, coresPerRank, gpusPerRank, bind, nodes }) => [
    program,
    '--overlap',
    '--ntasks',
    String(ranks),
    '--cpus-per-task',
    String(Math.max(1, coresPerRank)),
    '--nodes',
    String(nodes.length),
    ...(nodes.length > 0 ? ['--nodelist', nodes.map(({ name }) => name).join(',')] : []),
    ...(gpusPerRank >= 1 ? ['--gpus-per-task', String(Math.floor(gpusPerRank))] : []),
    '--cpu-bind',
    bind ? 'cores' : 'none',
    '--kill-on-bad-exit=1',
    ...argv,
  ],
  variables: () => ({}),
};
