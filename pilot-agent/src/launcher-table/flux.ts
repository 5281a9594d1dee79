import type { Launcher } from './table.js';

/** Flux, within the instance that the pilot lives in. */
export const flux: Launcher = {
  program: 'flux',
  remedy: 'Run it on a pilot inside a Flux instance, or take `launcher: "mpiexec"`.',
  command: (program, argv, { ranks, coresPerRank, gpusPerRank, bind, nodes }) => [
    program,
    'run',
    '--ntasks',
    String(ranks),
    '--cores-per-task',
    String(Math.max(1, coresPerRank)),
    ...(gpusPerRank >= 1 ? ['--gpus-per-task', String(Math.floor(gpusPerRank))] : []),
    ...(nodes.length > 1 ? ['--nodes', String(nodes.length)] : []),
    '--setopt',
    `cpu-affinity=${bind ? 'per-task' : 'off'}`,
    ...argv,
  ],
  variables: () => ({}),
};
