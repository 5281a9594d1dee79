import type { Launch, Launcher } from './table.js';

/** Open MPI 4 and 5, and everything by Hydra: MPICH, Intel MPI, MVAPICH. */
export const mpiexec: Launcher = {
  program: 'mpiexec',
  remedy: 'Install an MPI (on Debian: apt install openmpi-bin), or load its module in the description’s environment.',
  command: (program, argv, launch) => [
    program,
    '-n',
    String(launch.ranks),
    ...(isOpenMpi(launch) ? openMpi(launch) : hydra(launch)),
    ...argv,
  ],
  variables: (launch) =>
    isOpenMpi(launch) && process.getuid?.() === 0
      ? { OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' }
      : {},
};

function isOpenMpi({ version }: Launch): boolean {
  return /open.?mpi|openrte|prrte/i.test(version);
}

function openMpi({ nodes, bind, coresPerRank, env, version }: Launch): string[] {
  // Which cores a rank may use is the scheduler's business: what Open MPI counts as a slot is not.
  const five = /\b5\.\d+\.\d+/.test(version);
  const spread = bind ? `slot:PE=${Math.max(1, coresPerRank)}` : 'slot';
  const mapping = five ? ['--map-by', `${spread}:OVERSUBSCRIBE`] : ['--oversubscribe', '--map-by', spread];
  const hosts = nodes.length > 1 ? ['--host', nodes.map(({ name, share }) => `${name}:${share.slots}`).join(',')] : [];
  // On this node variables are inherited; others are told by name.
  const forwarded = nodes.length > 1 ? Object.keys(env).flatMap((name) => ['-x', name]) : [];
  return [...mapping, '--bind-to', bind ? 'core' : 'none', ...hosts, ...forwarded];
}

function hydra({ nodes, bind }: Launch): string[] {
  const hosts = nodes.length > 1 ? ['-hosts', nodes.map(({ name, share }) => `${name}:${share.slots}`).join(',')] : [];
  return ['-genvall', ...(bind ? ['-bind-to', 'core'] : []), ...hosts];
}
