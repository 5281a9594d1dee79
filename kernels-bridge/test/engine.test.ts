import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PilotSpec } from '../src/engines/engine.js';
import { findGpus } from '../src/engines/local/gpus.js';
import { LocalHoldings } from '../src/engines/local/holdings.js';
import { inspectMachine, parseCpuList } from '../src/engines/local/machine.js';
import { errorOf, eventually, newKey, origin, TestHome } from './support/bridge.js';

describe('what this process was given', () => {
  it('is read from its surroundings', () => {
    const machine = inspectMachine({});
    expect(machine.cores).toBeGreaterThan(0);
    expect(machine.cpus.length).toBeGreaterThanOrEqual(machine.cores);
    expect(machine.memory).toBeGreaterThan(0);
    expect(machine.evidence).toMatch(/^\d+ cores? by (CPU affinity|cgroup), .* (by cgroup|installed)/);
    expect(machine.loginNode).toBeNull();
  });

  it('counts the GPUs that are visible', () => {
    expect(inspectMachine({ CUDA_VISIBLE_DEVICES: '0,2' }).gpus).toBe(2);
    expect(inspectMachine({ CUDA_VISIBLE_DEVICES: '' }).gpus).toBe(0);
    expect(inspectMachine({ CUDA_VISIBLE_DEVICES: '-1' }).gpus).toBe(0);
    expect(inspectMachine({ CUDA_VISIBLE_DEVICES: 'GPU-1a,GPU-2b' }).evidence).toContain(
      '2 GPUs by CUDA_VISIBLE_DEVICES',
    );
  });

  it('lists GPUs by the name that programs take, parts in place of what was parted', () => {
    // In the form that NVIDIA documents for `nvidia-smi -L`; written by hand.
    const listed = [
      'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa)',
      '  MIG 3g.20gb     Device  0: (UUID: MIG-1111)',
      '  MIG 3g.20gb     Device  1: (UUID: MIG-2222)',
      'GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-bbbb)',
      '',
    ].join('\n');
    const nvidia = findGpus(
      {},
      (program) => (program === 'nvidia-smi' ? listed : null),
      (path) => path === '/dev/nvidiactl',
    );
    expect(nvidia).toEqual({ ids: ['MIG-1111', 'MIG-2222', 'GPU-bbbb'], vendor: 'nvidia', source: 'nvidia-smi' });
    const cards = '{"card0": {"Device ID": "0x740f"}, "card1": {"Device ID": "0x740f"}, "system": {}}';
    const amd = findGpus(
      {},
      () => cards,
      (path) => path === '/dev/kfd',
    );
    expect(amd).toEqual({ ids: ['0', '1'], vendor: 'amd', source: 'rocm-smi' });
    expect(findGpus({ ROCR_VISIBLE_DEVICES: '1' })).toMatchObject({ ids: ['1'], vendor: 'amd' });
    expect(
      findGpus(
        {},
        () => null,
        () => false,
      ).ids,
    ).toEqual([]);
  });

  it('ends with the surrounding job', () => {
    expect(inspectMachine({ SLURM_JOB_END_TIME: '1800000000' }).endsAt).toBe(1_800_000_000_000);
    expect(inspectMachine({ SLURM_JOB_END_TIME: 'unknown' }).endsAt).toBeNull();
  });

  it('lists CPUs as the kernel writes them', () => {
    expect(parseCpuList('0-3,8,10-11')).toEqual([0, 1, 2, 3, 8, 10, 11]);
    expect(parseCpuList('5')).toEqual([5]);
  });
});

function spec(id: string, cores: number): PilotSpec {
  return { id, name: id, cores, gpus: 0, memory: null, nodes: 1, runtime: 60, createdAt: '2026-01-01T00:00:00.000Z' };
}

const machine = {
  cpus: [0, 1, 2, 3],
  cores: 4,
  memory: 8 * 1024 ** 3,
  gpus: 2,
  gpuIds: ['GPU-a', 'GPU-b'],
  gpuVendor: 'nvidia' as const,
  endsAt: null,
  evidence: '4 cores by CPU affinity',
  loginNode: null,
};

describe('sharing the machine', () => {
  it('gives each GPU to one pilot at a time, by name, also to those that it finds running', () => {
    const holdings = new LocalHoldings(machine);
    const wants = (id: string): PilotSpec => ({ ...spec(id, 1), gpus: 1 });
    holdings.hold(wants('found'), null, ['GPU-b']);
    holdings.enqueue(wants('next'));
    holdings.enqueue(wants('waits'));
    expect(holdings.takeNext()?.id).toBe('next');
    expect(holdings.takeNext()).toBeNull();
    expect([holdings.gpusOf('found'), holdings.gpusOf('next')]).toEqual([['GPU-b'], ['GPU-a']]);
    holdings.release('found');
    expect(holdings.takeNext()?.id).toBe('waits');
    expect(holdings.gpusOf('waits')).toEqual(['GPU-b']);
  });

  it('never gives more than there is, gives each CPU once, and starts in order', () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant('end' as const)), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (script) => {
        const holdings = new LocalHoldings(machine);
        const submitted: string[] = [];
        const started: string[] = [];
        const running: string[] = [];
        script.forEach((step, index) => {
          const [oldest] = running;
          if (step === 'end' && oldest !== undefined) {
            holdings.release(oldest);
            running.shift();
          }
          if (step !== 'end') {
            holdings.enqueue(spec(`p${index}`, step));
            submitted.push(`p${index}`);
          }
          for (let next = holdings.takeNext(); next !== null; next = holdings.takeNext()) {
            started.push(next.id);
            running.push(next.id);
          }
          expect(holdings.held().cores).toBeLessThanOrEqual(machine.cores);
          const cpus = running.flatMap((id) => holdings.cpusOf(id) ?? []);
          expect(new Set(cpus).size).toBe(cpus.length);
          expect(cpus).toHaveLength(holdings.held().cores);
        });
        expect(started).toEqual(submitted.slice(0, started.length));
      }),
    );
  });

  it('says what is waited for and who holds it', () => {
    const holdings = new LocalHoldings(machine);
    holdings.enqueue(spec('demo', 3));
    holdings.takeNext();
    const endsAt = new Date(2026, 0, 1, 14, 2).toISOString();
    holdings.expectEnd('demo', endsAt);
    holdings.enqueue(spec('next', 2));
    holdings.enqueue(spec('last', 1));
    expect(holdings.takeNext()).toBeNull();
    expect(holdings.waiting().map(({ text }) => text)).toEqual([
      'waits for 2 cores; demo holds 3 of 4 until 14:02',
      'waits behind "next"',
    ]);
  });
});

describe('pilots of this machine', () => {
  let place: TestHome;
  beforeEach(async () => {
    place = await TestHome.make();
  });
  afterEach(() => place.close());

  it('are previewed in words and as the command that starts them', async () => {
    const { client } = await place.serve();
    const { sentence, script } = await client.pilots.preview({
      description: { cores: 1, memory: '2GiB', runtime: '1h30m' },
    });
    expect(sentence).toBe('1 core and 2 GiB of this machine for 1 h 30 min; starts at once');
    expect(script).toMatch(/python3\S* -I -S -E \S+warden\.py \S+ -- \S+node \S+main\.js \S+$/);
    expect(await errorOf(client.pilots.preview({ description: { nodes: 2 } }))).toMatchObject({
      code: 'PILOT_REFUSED',
      field: 'nodes',
    });
  });

  it('are off on a login node, and the reason says what to do', async () => {
    await writeFile(join(place.runtimeDir, 'sbatch'), '#!/bin/sh\n');
    await chmod(join(place.runtimeDir, 'sbatch'), 0o755);
    const { client } = await place.serve({ PATH: `${place.runtimeDir}:${process.env.PATH}` });
    const [engine] = await client.engines.list({});
    expect(engine).toMatchObject({ available: false, reason: expect.stringContaining('looks like a login node') });
    expect(await errorOf(client.pilots.submit({ description: {}, origin, key: newKey() }))).toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      field: 'engine',
    });
  });

  it('cannot outlive the surrounding job', async () => {
    const end = Math.floor(Date.now() / 1000) + 600;
    const { client } = await place.serve({ SLURM_JOB_ID: '1', SLURM_JOB_END_TIME: String(end) });
    const [engine] = await client.engines.list({});
    expect(engine?.limits.runtime).toBeGreaterThan(500);
    expect(
      await errorOf(client.pilots.submit({ description: { runtime: '1h' }, origin, key: newKey() })),
    ).toMatchObject({
      code: 'PILOT_REFUSED',
      field: 'runtime',
      message: expect.stringContaining('the rest of the surrounding job'),
    });
  });

  it('without a Python new enough fail with the remedy', async () => {
    const { client } = await place.serve({ PILOTHOUSE_PYTHON: '/no/such/python3' });
    const { id } = await client.pilots.submit({ description: {}, origin, key: newKey() });
    const failed = await eventually('the end', async () => {
      const pilot = await client.pilots.get({ ref: id });
      return pilot.endedAt !== null && pilot;
    });
    expect(failed).toMatchObject({ state: 'FAILED', error: { code: 'ENGINE_UNAVAILABLE' } });
    expect(failed.error?.hint).toContain('Python 3.10');
  });
});
