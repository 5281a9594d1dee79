import { readFileSync, statSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { formatBytes } from '@pilothouse/sdk/internal';
import { findGpus, type Gpus } from './gpus.js';

/** What this process was given of the machine. */
export interface Machine {
  /** CPU numbers it may run on. */
  readonly cpus: readonly number[];
  readonly cores: number;
  /** bytes */
  readonly memory: number;
  readonly gpus: number;
  /** Their names, as the variables take them that make GPUs visible. */
  readonly gpuIds: readonly string[];
  readonly gpuVendor: Gpus['vendor'];
  /** End of the surrounding job, milliseconds since 1970. */
  readonly endsAt: number | null;
  /** Where the numbers come from, in words. */
  readonly evidence: string;
  /** Why pilots do not belong here; null where they do. */
  readonly loginNode: string | null;
}

/** Looks at affinity, cgroups and the variables of a surrounding job. */
export function inspectMachine(env: Readonly<NodeJS.ProcessEnv>): Machine {
  const status = readText('/proc/self/status') ?? '';
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  const cpus = list === undefined ? [...Array(availableParallelism()).keys()] : parseCpuList(list);
  const cgroups = readCgroups();
  const quota = cgroups.cpuQuota;
  const cores = Math.max(1, Math.min(cpus.length, quota === null ? cpus.length : Math.floor(quota)));
  const installed = totalmem();
  const limited = cgroups.memory !== null && cgroups.memory < installed;
  const memory = limited && cgroups.memory !== null ? cgroups.memory : installed;
  const { ids, vendor, source } = findGpus(env);
  const gpus = ids.length;
  const evidence = [
    `${cores} ${cores === 1 ? 'core' : 'cores'} by ${cores < cpus.length ? 'cgroup' : 'CPU affinity'}`,
    `${formatBytes(memory)} ${limited ? 'by cgroup' : 'installed'}`,
    ...(gpus > 0 ? [`${gpus} ${gpus === 1 ? 'GPU' : 'GPUs'} by ${source}`] : []),
  ].join(', ');
  const given = { cpus, cores, memory, gpus, gpuIds: ids, gpuVendor: vendor };
  return { ...given, endsAt: jobEnd(env), evidence, loginNode: loginNode(env) };
}

/** `0-3,8` as numbers. */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    if (first === undefined || last === undefined || Number.isNaN(first) || Number.isNaN(last)) return [];
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

interface Cgroups {
  readonly memory: number | null;
  readonly cpuQuota: number | null;
}

/** The tightest limits on the way from this process's cgroup to the root; version 1 and 2, as mounted in a container too. */
function readCgroups(): Cgroups {
  const memory: number[] = [];
  const quotas: number[] = [];
  for (const line of (readText('/proc/self/cgroup') ?? '').split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    const [, controllers = '', path = '/'] = match;
    if (controllers === '') {
      for (const folder of upwards('/sys/fs/cgroup', path)) {
        push(memory, readText(join(folder, 'memory.max')));
        const [allowed, period] = (readText(join(folder, 'cpu.max')) ?? '').trim().split(' ');
        if (allowed !== undefined && allowed !== 'max' && Number(period) > 0)
          quotas.push(Number(allowed) / Number(period));
      }
    }
    if (controllers.split(',').includes('memory')) {
      for (const folder of upwards('/sys/fs/cgroup/memory', path)) {
        push(memory, readText(join(folder, 'memory.limit_in_bytes')));
      }
    }
    if (controllers.split(',').includes('cpu')) {
      for (const folder of upwards(`/sys/fs/cgroup/${controllers}`, path)) {
        const allowed = Number(readText(join(folder, 'cpu.cfs_quota_us')));
        const period = Number(readText(join(folder, 'cpu.cfs_period_us')));
        if (allowed > 0 && period > 0) quotas.push(allowed / period);
      }
    }
  }
  return {
    memory: memory.length > 0 ? Math.min(...memory) : null,
    cpuQuota: quotas.length > 0 ? Math.min(...quotas) : null,
  };
}

function* upwards(mount: string, path: string): Generator<string> {
  const parts = path.split('/').filter((part) => part !== '');
  for (let length = parts.length; length >= 0; length -= 1) yield join(mount, ...parts.slice(0, length));
}

function push(values: number[], text: string | null): void {
  const value = Number(text?.trim());
  // Version 1 says "no limit" with a number near 2^63.
  if (text !== null && Number.isFinite(value) && value > 0 && value < 2 ** 60) values.push(value);
}

function jobEnd(env: Readonly<NodeJS.ProcessEnv>): number | null {
  const end = Number(env.SLURM_JOB_END_TIME);
  return Number.isFinite(end) && end > 0 ? end * 1000 : null;
}

function loginNode(env: Readonly<NodeJS.ProcessEnv>): string | null {
  if (env.SLURM_JOB_ID !== undefined) return null;
  const folder = (env.PATH ?? '').split(delimiter).find((path) => path !== '' && isFile(join(path, 'sbatch')));
  if (folder === undefined) return null;
  return `this looks like a login node (${join(folder, 'sbatch')} is there and no job surrounds it)`;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // That limit does not exist on this system.
  }
}
