import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestPilot } from './pilot.js';

let pilot: TestPilot;
beforeEach(() => {
  pilot = new TestPilot({ gpus: 2 });
});
afterEach(() => pilot.destroy());

const PATH = process.env.PATH ?? '';

function program(path: string, text: string): string {
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

/** A program that only looks at what it was started with: stands for one that this machine may lack. */
function standIn(name: string): string {
  const folder = join(pilot.work, 'bin');
  mkdirSync(folder, { recursive: true });
  program(
    join(folder, name),
    '#!/bin/sh\n[ "$1" = image ] && { [ "$3" = known ]; exit; }\nfor word in "$@"; do echo "<$word>"; done\n',
  );
  return `${folder}:${PATH}`;
}

describe('environments', () => {
  it('are entered before the program is looked up: venv, conda, modules', async () => {
    execFileSync('/usr/bin/python3', ['-m', 'venv', '--without-pip', join(pilot.work, 'venv')]);
    const conda = join(pilot.work, 'conda', 'envs', 'science');
    for (const folder of ['conda-meta', 'bin', 'etc/conda/activate.d'])
      mkdirSync(join(conda, folder), { recursive: true });
    program(join(conda, 'bin', 'in-conda'), '#!/bin/sh\necho "$CONDA_DEFAULT_ENV $FROM_SCRIPT $CONDA_PREFIX"\n');
    writeFileSync(join(conda, 'etc/conda/activate.d/own.sh'), 'export FROM_SCRIPT="a b"\n');
    const modules = join(pilot.work, 'modules');
    mkdirSync(join(modules, 'init'), { recursive: true });
    program(join(modules, 'in-module'), '#!/bin/sh\necho "module $LOADED"\n');
    writeFileSync(
      join(modules, 'init', 'bash'),
      `module() { [ "$1" = load ] && [ "$2" = solver/2 ] || { echo "ERROR: Unable to locate a modulefile for '$2'" >&2; return 1; }; export LOADED="$2" PATH="${modules}:$PATH"; }\n`,
    );
    const env = { MODULESHOME: modules };
    const script = 'import sys, os; print(sys.prefix, os.environ["VIRTUAL_ENV"])';
    pilot.spool([
      pilot.task('venv', ['python', '-c', script], { environment: { venv: 'venv' } }),
      pilot.task('conda', ['in-conda'], {
        environment: { conda: 'science' },
        env: { PATH, CONDA_PREFIX: join(pilot.work, 'conda') },
      }),
      pilot.task('conda-path', ['in-conda'], { environment: { conda } }),
      pilot.batch([
        { id: 'modules', name: 'm', entry: { command: ['in-module'], environment: { modules: ['solver/2'] }, env } },
      ]),
      pilot.batch([
        { id: 'no-module', name: 'm', entry: { command: ['in-module'], environment: { modules: ['solver/9'] }, env } },
      ]),
      pilot.task('no-venv', ['python'], { environment: { venv: 'nothing' } }),
      pilot.task('no-conda', ['python'], { environment: { conda: 'nothing' } }),
      pilot.task('not-in-venv', ['no-such-program'], { environment: { venv: 'venv' } }),
    ]);
    pilot.start();
    await pilot.state('venv', 'DONE');
    expect(pilot.stdout('venv')).toBe(`${pilot.work}/venv ${pilot.work}/venv\n`);
    await pilot.state('conda', 'DONE');
    expect(pilot.stdout('conda')).toBe(`science a b ${conda}\n`);
    await pilot.state('conda-path', 'DONE');
    await pilot.state('modules', 'DONE');
    expect(pilot.stdout('modules')).toBe('module solver/2\n');
    const error = async (id: string) => (await pilot.state(id, 'FAILED')).error;
    expect(await error('no-venv')).toMatchObject({
      code: 'ENVIRONMENT_NOT_FOUND',
      message: `there is no virtual environment at ${pilot.work}/nothing`,
      hint: `Make it with: python3 -m venv ${pilot.work}/nothing`,
    });
    expect(await error('no-conda')).toMatchObject({ code: 'ENVIRONMENT_NOT_FOUND', field: 'environment.conda' });
    expect(await error('no-module')).toMatchObject({
      code: 'ENVIRONMENT_NOT_FOUND',
      message: 'module load solver/9 failed',
      evidence: expect.stringContaining('Unable to locate'),
    });
    expect(await error('not-in-venv')).toMatchObject({ code: 'EXECUTABLE_NOT_FOUND' });
    await pilot.end();
  });

  it('that are not there fail a set of a thousand by one look, each with the same error', async () => {
    const tasks = Array.from({ length: 1000 }, (_, n) => ({ id: `s.${n}`, name: `s${n}`, entry: {} }));
    const template = { command: ['true'], environment: { venv: '/no/such/venv' } };
    pilot.spool([pilot.batch(tasks, { set: 's', template }), pilot.task('fine', ['true'])]);
    pilot.start();
    await pilot.state('s.999', 'FAILED');
    await pilot.state('fine', 'DONE');
    const errors = pilot.journal().flatMap((one) => (one.type === 'task' && one.error ? [one.error.message] : []));
    expect(errors).toHaveLength(1000);
    expect(new Set(errors)).toEqual(new Set(['there is no virtual environment at /no/such/venv']));
    // Nothing was spawned for them.
    expect(pilot.tasks('s.7').some(({ pid }) => pid !== undefined)).toBe(false);
    await pilot.end();
  });

  it('setup lines run in the shell that becomes the program; words of the command are never read as shell', async () => {
    const words = ['$HOME', "it's", 'a b', '; echo no', '*'];
    pilot.spool([
      pilot.task('setup', ['sh', '-c', 'echo $FROM; for w in "$@"; do echo "$w"; done', 'sh', ...words], {
        setup: ['export FROM=setup # a comment', 'if true; then\n  umask 022\nfi'],
      }),
      pilot.task('fails', ['true'], { setup: ['true', 'cd /no/such/folder', 'touch reached'] }),
    ]);
    pilot.start();
    await pilot.state('setup', 'DONE');
    expect(pilot.stdout('setup')).toBe(`setup\n${words.join('\n')}\n`);
    const fails = await pilot.state('fails', 'FAILED');
    expect(fails.stderrTail).toContain('setup line 2 failed (cd /no/such/folder)');
    expect(existsSync(join(pilot.work, 'reached'))).toBe(false);
    await pilot.end();
  });

  it('containers see their folder and variables, and no value of a variable stands in a command', async () => {
    writeFileSync(join(pilot.work, 'image.sif'), '');
    const env = { PATH: standIn('apptainer'), SECRET: 'hush' };
    standIn('podman');
    const apptainer = {
      container: { image: 'image.sif', runtime: 'apptainer' as const, binds: ['/data:/d:ro'], gpu: true },
    };
    const podman = { container: { image: 'known', runtime: 'podman' as const, binds: ['/data'], gpu: false } };
    pilot.spool([
      pilot.task('apptainer', ['solve', 'x y'], { environment: apptainer, env }),
      pilot.task('podman', ['solve'], { environment: podman, env, setup: ['ulimit -c 0'] }),
      pilot.task('no-image', ['solve'], {
        environment: { container: { ...apptainer.container, image: 'other.sif' } },
        env,
      }),
      pilot.task('unknown', ['solve'], { environment: { container: { ...podman.container, image: 'unknown' } }, env }),
      pilot.task('no-runtime', ['solve'], { environment: apptainer, env: { PATH: '/usr/bin' } }),
    ]);
    pilot.start();
    await pilot.state('apptainer', 'DONE');
    const words = (id: string) => pilot.stdout(id).trim().slice(1, -1).split('>\n<');
    const { work } = pilot;
    expect(words('apptainer')).toEqual([
      'exec',
      '--nv',
      '--bind',
      work,
      '--bind',
      '/data:/d:ro',
      '--pwd',
      work,
      `${work}/image.sif`,
      'solve',
      'x y',
    ]);
    await pilot.state('podman', 'DONE');
    const run = words('podman');
    expect(run).toEqual(
      expect.arrayContaining(['run', '--rm', '--volume', `${work}:${work}`, '--env', 'SECRET', 'known', 'solve']),
    );
    expect(run).not.toContain('PATH');
    expect(run.join(' ')).not.toContain('hush');
    expect((await pilot.state('no-image', 'FAILED')).error).toMatchObject({
      code: 'ENVIRONMENT_NOT_FOUND',
      evidence: `${work}/other.sif`,
    });
    expect((await pilot.state('unknown', 'FAILED')).error?.hint).toBe('Fetch it with: podman pull unknown');
    expect((await pilot.state('no-runtime', 'FAILED')).error?.message).toBe('apptainer is not on this node');
    await pilot.end();
  });
});

describe('what a task was granted', () => {
  it('shows in its variables, its GPUs and, where asked, the CPUs it may use', async () => {
    const look =
      'echo "$CUDA_VISIBLE_DEVICES|$OMP_NUM_THREADS|$PILOTHOUSE_CHECKPOINT"; grep Cpus_allowed_list /proc/self/status';
    const [cpu = 0] = cpusOf(readFileSync('/proc/self/status', 'utf8'));
    pilot.remove();
    pilot = new TestPilot({ gpus: 2, gpuIds: ['GPU-a', 'GPU-b'], cores: 1, cpus: [cpu] });
    pilot.spool([
      pilot.task('both', ['sh', '-c', look], { gpus: 2, cores: 1, bind: true }),
      pilot.task('none', ['sh', '-c', look], { checkpoint: 'saved/here' }),
      pilot.task('part', ['sh', '-c', look], { gpus: 0.5 }),
      pilot.batch([
        {
          id: 'own-word',
          name: 'o',
          entry: { command: ['sh', '-c', look], gpus: 1, env: { CUDA_VISIBLE_DEVICES: '7' } },
        },
      ]),
    ]);
    pilot.start();
    for (const id of ['both', 'none', 'part', 'own-word']) await pilot.state(id, 'DONE');
    expect(pilot.stdout('both')).toMatch(new RegExp(`^GPU-a,GPU-b\\|1\\|\nCpus_allowed_list:\t${cpu}\n$`));
    expect(pilot.stdout('none')).toMatch(`|1|${pilot.work}/saved/here\n`);
    expect(pilot.stdout('none').startsWith('|')).toBe(true);
    expect(existsSync(join(pilot.work, 'saved/here'))).toBe(true);
    expect(pilot.stdout('part')).toMatch(/^GPU-[ab]\|/);
    expect(pilot.stdout('own-word')).toMatch(/^7\|/);
    const placed = pilot.tasks('both').find(({ placement }) => placement)?.placement;
    expect(placed).toMatchObject({ cores: [0], gpus: ['GPU-a', 'GPU-b'] });
    expect(pilot.last('both')).toMatchObject({ usage: { wall: expect.any(Number), maxRss: expect.any(Number) } });
    await pilot.end();
  });
});

describe('MPI', () => {
  it('starts ranks that find each other, with the cores and variables of each', async () => {
    writeFileSync(
      join(pilot.work, 'sum.c'),
      '#include <mpi.h>\n#include <stdio.h>\n#include <stdlib.h>\nint main(int c, char **v) { int rank, sum; MPI_Init(&c, &v); MPI_Comm_rank(MPI_COMM_WORLD, &rank);\n' +
        'MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD); printf("sum %d %s %s\\n", sum, getenv("OWN"), getenv("OMP_NUM_THREADS")); MPI_Finalize(); return 0; }\n',
    );
    execFileSync('mpicc', ['-o', join(pilot.work, 'sum'), join(pilot.work, 'sum.c')]);
    pilot.spool([
      pilot.task('sum', ['./sum'], { ranks: 4, cores: 2, env: { PATH, OWN: 'x y' } }),
      pilot.task('bad-rank', ['sh', '-c', '[ "$OMPI_COMM_WORLD_RANK" != 1 ] || exit 3'], { ranks: 2 }),
      pilot.task('copies', ['sh', '-c', 'echo "$PILOTHOUSE_RANK of $PILOTHOUSE_RANKS"'], { ranks: 3, usesMpi: false }),
      pilot.task('no-mpi', ['./sum'], { ranks: 2, env: { PATH: '/no/programs' } }),
      pilot.task('no-srun', ['./sum'], { ranks: 2, launcher: 'srun' }),
      pilot.task('too-big', ['./sum'], { ranks: 13, cores: 2 }),
    ]);
    pilot.start();
    await pilot.state('sum', 'DONE');
    expect(pilot.stdout('sum')).toBe('sum 6 x y 2\n'.repeat(4));
    expect(pilot.tasks('sum').find(({ placement }) => placement)?.placement?.cores).toHaveLength(8);
    expect(await pilot.state('bad-rank', 'FAILED')).toMatchObject({ exitCode: 3 });
    await pilot.state('copies', 'DONE');
    expect(pilot.stdout('copies').trim().split('\n').sort()).toEqual(['0 of 3', '1 of 3', '2 of 3']);
    expect((await pilot.state('no-mpi', 'FAILED')).error).toMatchObject({
      code: 'EXECUTABLE_NOT_FOUND',
      message: 'mpiexec, which starts MPI tasks, is not on this node',
    });
    expect((await pilot.state('no-srun', 'FAILED')).error).toMatchObject({
      code: 'EXECUTABLE_NOT_FOUND',
      field: 'launcher',
    });
    expect((await pilot.state('too-big', 'FAILED')).error).toMatchObject({ code: 'INVALID_DESCRIPTION' });
    await pilot.end();
  });
});

function cpusOf(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0';
  return list.split(',').flatMap((part) => Number(part.split('-')[0]));
}
