import { constants } from 'node:os';
import { type ErrorData, PilothouseError } from '@pilothouse/sdk/shared';
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

/** The error of a task that ended badly by itself. */
export function taskFailed(id: string, name: string, end: ProcessEnd, stderrTail: string): ErrorData {
  const killed = end.signal === 'SIGKILL';
  return new PilothouseError('TASK_FAILED', `${name} ${inWords(end)}`, {
    hint: killed
      ? 'Somebody or the system ended it; a process that takes too much memory ends like this.'
      : 'The last lines of its error output say why.',
    ids: { task: id },
    ...(stderrTail ? { evidence: stderrTail } : {}),
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
    default:
      return new PilothouseError('TASK_FAILED', `${what} cannot be started: ${message}`, {
        ...options,
        hint: 'The system refused; see the message.',
      });
  }
}

/** The error of something of which nobody knows whether it ran, or how it ended. */
export function nodeLost(what: string, id: string): PilothouseError {
  return new PilothouseError('NODE_LOST', `nobody can say how ${what} ended: what watched over it was killed`, {
    hint: 'Look at what it has written before you submit it again; it may have run.',
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
