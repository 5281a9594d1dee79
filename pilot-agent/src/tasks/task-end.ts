import { constants } from 'node:os';
import { type ErrorData, formatBytes, formatSeconds, PilothouseError } from '@pilothouse/sdk/shared';
import type { SpawnFailure } from '../launcher/warden-client.js';

/** How a process ended, from the code the warden gives. */
export interface ProcessEnd {
  readonly exitCode?: number;
  readonly signal?: string;
}

/** A negative code is minus the number of a signal. */
export function processEnd(code: number): ProcessEnd {
  if (code >= 0) return { exitCode: code };
  const name = Object.entries(constants.signals).find(([, number]) => number === -code)?.[0];
  return { signal: name ?? `signal ${-code}` };
}

/** "exited with 3", "was ended by SIGKILL". */
export function inWords({ exitCode, signal }: ProcessEnd): string {
  return signal === undefined ? `exited with ${exitCode}` : `was ended by ${signal}`;
}

/** What GPU libraries say when their memory does not suffice. */
const GPU_MEMORY =
  /(CUDA|HIP) out of memory|OutOfMemoryError: (CUDA|HIP)|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|hipErrorOutOfMemory|CUBLAS_STATUS_ALLOC_FAILED|RESOURCE_EXHAUSTED: Out of memory/;
/** What NCCL, RCCL and PyTorch's process groups say when GPUs do not reach each other. */
const GPU_COMMUNICATION =
  /\bncclUnhandledCudaError|\bncclSystemError|\bncclInternalError|\bncclRemoteError|\b[NR]CCL (error|failure)|\[NCCL\].*timeout|Watchdog caught collective operation timeout|DistBackendError/;

/** What programs say when there is no room for what they write. */
const NO_ROOM = /No space left on device|Disk quota exceeded|\b(ENOSPC|EDQUOT)\b/;

/** The error of a task that ended badly by itself. */
export function taskFailed(id: string, name: string, end: ProcessEnd, stderrTail: string): ErrorData {
  const options = { ids: { task: id }, ...(stderrTail ? { evidence: stderrTail } : {}) };
  if (GPU_MEMORY.test(stderrTail)) {
    return new PilothouseError('GPU_OUT_OF_MEMORY', `task ${name} ran out of GPU memory`, {
      ...options,
      hint: 'Use a smaller batch or model, more GPUs, or a whole GPU instead of a part of one.',
    }).toJSON();
  }
  if (GPU_COMMUNICATION.test(stderrTail)) {
    return new PilothouseError('GPU_COMMUNICATION_FAILED', `task ${name}: its GPUs could not talk to each other`, {
      ...options,
      hint: 'Run it again with NCCL_DEBUG=INFO in its env; check that it has all its GPUs and enough shared memory.',
    }).toJSON();
  }
  if (NO_ROOM.test(stderrTail)) {
    return new PilothouseError('DISK_FULL', `task ${name} ${inWords(end)}: it had no room for what it wrote`, {
      ...options,
      hint: 'Make room where it writes, or let it write elsewhere; its last lines may say where that is.',
    }).toJSON();
  }
  return new PilothouseError('TASK_FAILED', `task ${name} ${inWords(end)}`, {
    ...options,
    hint: whyItFailed(end, stderrTail),
  }).toJSON();
}

function whyItFailed({ signal }: ProcessEnd, stderrTail: string): string {
  if (signal === 'SIGKILL')
    return 'Somebody or the system ended it; a process that takes too much memory ends like this.';
  if (stderrTail !== '') return 'The last lines of its error output say why.';
  if (signal === undefined) return 'It said nothing on its error output; see its output with log().';
  return 'It said nothing on its error output: a crash of the program itself, or somebody sent it the signal.';
}

/** The error of a task that failed without a word while there was no room for its output. */
export function outputHadNoRoom(id: string, name: string, end: ProcessEnd, folder: string): ErrorData {
  return new PilothouseError(
    'DISK_FULL',
    `task ${name} ${inWords(end)}, and its output had no room: the disk of ${folder} is full`,
    {
      hint: `Make room on the disk of ${folder}, then submit it again.`,
      ids: { task: id },
    },
  ).toJSON();
}

/** The error of a task that took more memory than it had asked for. */
export function outOfMemory(
  id: string,
  name: string,
  oom: { readonly peak: number; readonly limit: number },
): ErrorData {
  const suggested = formatBytes(Math.ceil((Math.max(oom.peak, oom.limit) * 1.25) / 2 ** 26) * 2 ** 26);
  const text = `task ${name} took ${formatBytes(oom.peak)} of memory and had asked for ${formatBytes(oom.limit)}`;
  return new PilothouseError('OUT_OF_MEMORY', text, {
    hint: `Ask for more, for example memory: '${suggested.replace(' ', '')}', or let it try with more: retries: { max: 2, onOom: { memory: '×2' } }.`,
    ids: { task: id },
    field: 'memory',
    evidence: `peak ${oom.peak} bytes, limit ${oom.limit} bytes`,
  }).toJSON();
}

/** The error of a task that took longer than it may. */
export function tookTooLong(id: string, name: string, seconds: number): ErrorData {
  return new PilothouseError(
    'DURATION_EXCEEDED',
    `task ${name} took longer than its maxDuration of ${formatSeconds(seconds)}`,
    {
      hint: 'Give it a longer maxDuration, or look at its output for what holds it up.',
      ids: { task: id },
      field: 'maxDuration',
    },
  ).toJSON();
}

/** The error of a task that was cut off by the end of its pilot's time. */
export function timeOver(id: string, name: string, pilot: string): ErrorData {
  return new PilothouseError('WALLTIME_OVER', `task ${name} was cut off: the time of its pilot was over`, {
    hint: 'Give the pilot a longer runtime, or the task a checkpoint folder or retries, so that it goes on in the next one.',
    ids: { task: id, pilot },
  }).toJSON();
}

/** The error of something that the system did not start. */
export function spawnFailed(what: string, { errno, message }: SpawnFailure): PilothouseError {
  const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0];
  const options = { evidence: message };
  switch (name) {
    case 'ENOENT':
      return new PilothouseError('EXECUTABLE_NOT_FOUND', `${what} cannot be started: ${message}`, {
        ...options,
        hint: 'The program, or the interpreter that its first line names, is not there.',
      });
    case 'ENOEXEC':
      return new PilothouseError('EXECUTABLE_NOT_FOUND', `${what} is no program: ${message}`, {
        ...options,
        hint: 'A script needs a first line like #!/bin/sh.',
      });
    case 'EACCES':
      return new PilothouseError('PERMISSION_DENIED', `${what} may not be executed: ${message}`, {
        ...options,
        hint: 'Check the permissions of the program and of its working directory.',
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new PilothouseError('DISK_FULL', `${what} cannot be started: ${message}`, {
        ...options,
        hint: 'Make room where its output goes; `pilothouse clean` removes what is old.',
      });
    case 'E2BIG':
      return new PilothouseError('INVALID_DESCRIPTION', `${what}: its arguments and variables are too long`, {
        ...options,
        hint: 'Put long lists into a file and name the file.',
        field: 'command',
      });
    default:
      return new PilothouseError('TASK_FAILED', `${what} cannot be started: ${message}`, {
        ...options,
        hint: 'The system refused; see the message.',
      });
  }
}

/** The error of something of which nobody knows whether it ran, or how it ended. */
export function launcherLost(what: string, id: string): PilothouseError {
  return new PilothouseError('LAUNCHER_LOST', `nobody can say how ${what} ended: what watched over it was killed`, {
    hint: 'Look at what it has written before you submit it again; it may have run. With retries it is run again by itself.',
    ids: { task: id },
  });
}

/** The error of what the end of the pilot has ended. */
export function pilotEnded(pilot: string, why: string): PilothouseError {
  return new PilothouseError('PILOT_ENDED', `ended with its pilot: ${why}`, {
    hint: 'Submit it again on a pilot that lives long enough.',
    ids: { pilot },
  });
}
