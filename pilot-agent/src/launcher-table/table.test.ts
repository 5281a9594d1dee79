import { type ResolvedTaskDescription, taskDescriptionSchema } from '@pilothouse/sdk/shared';
import { expect, describe as group, it } from 'vitest';
import { LAUNCHERS, type Launch, launcherOf } from './table.js';

const share = { node: 0, slots: 4, cores: [0, 1, 2, 3], gpus: [], memory: 0 };
const launch: Launch = {
  ranks: 8,
  coresPerRank: 2,
  gpusPerRank: 1,
  bind: false,
  nodes: [{ name: 'n1', share }],
  env: { OWN: 'x' },
  version: 'mpiexec (OpenRTE) 4.1.4',
};
const nodes = [
  { name: 'n1', share },
  { name: 'n2', share },
];
const task = (more: Partial<ResolvedTaskDescription>) => ({
  ...taskDescriptionSchema.parse({ command: ['x'] }),
  ...more,
});

group('launchers', () => {
  it('are chosen by what is asked for, else by where the pilot lives', () => {
    expect(launcherOf(task({}), {})).toBeUndefined();
    expect(launcherOf(task({ ranks: 4 }), {})).toBe(LAUNCHERS.mpiexec);
    expect(launcherOf(task({ ranks: 4 }), { SLURM_JOB_ID: '1' })).toBe(LAUNCHERS.srun);
    expect(launcherOf(task({ ranks: 4 }), { FLUX_URI: 'local:///x' })).toBe(LAUNCHERS.flux);
    expect(launcherOf(task({ ranks: 4, usesMpi: false }), { SLURM_JOB_ID: '1' })).toBe(LAUNCHERS.fork);
    expect(launcherOf(task({ ranks: 1, usesMpi: true }), {})).toBe(LAUNCHERS.mpiexec);
    expect(launcherOf(task({ ranks: 1, launcher: 'fork' }), {})).toBeUndefined();
  });

  it('speak each MPI in its own words', () => {
    const { mpiexec } = LAUNCHERS;
    expect(mpiexec.command('mpiexec', ['x'], launch).join(' ')).toBe(
      'mpiexec -n 8 --oversubscribe --map-by slot --bind-to none x',
    );
    const five = { ...launch, nodes, bind: true, version: 'mpiexec (Open MPI) 5.0.3' };
    expect(mpiexec.command('mpiexec', ['x'], five).join(' ')).toBe(
      'mpiexec -n 8 --map-by slot:PE=2:OVERSUBSCRIBE --bind-to core --host n1:4,n2:4 -x OWN x',
    );
    const hydra = { ...launch, nodes, version: 'HYDRA build details: Version: 4.2' };
    expect(mpiexec.command('mpiexec', ['x'], hydra).join(' ')).toBe('mpiexec -n 8 -genvall -hosts n1:4,n2:4 x');
    expect(mpiexec.variables(hydra)).toEqual({});
    expect(LAUNCHERS.srun.command('srun', ['x'], { ...launch, nodes }).join(' ')).toBe(
      'srun --overlap --ntasks 8 --cpus-per-task 2 --nodes 2 --nodelist n1,n2 --gpus-per-task 1 --cpu-bind none --kill-on-bad-exit=1 x',
    );
    expect(LAUNCHERS.flux.command('flux', ['x'], launch).join(' ')).toBe(
      'flux run --ntasks 8 --cores-per-task 2 --gpus-per-task 1 --setopt cpu-affinity=off x',
    );
  });
});
