import { type ErrorData, PilothouseError, type TaskUsage } from '@pilothouse/sdk/shared';
import type { SpawnExit } from '../launcher/spawn.js';
import type { RunEnd } from '../tasks/runner.js';
import { inWords, processEnd } from '../tasks/task-end.js';
import type { CallResult } from './messages.js';

const TAIL_LINES = 20;
const TAIL_CHARACTERS = 4096;

/** The end of a call that its worker has told. */
export function endOf(name: string, id: string, result: CallResult): RunEnd {
  const { outcome, stderr } = result;
  const stderrTail = stderr === '' ? {} : { stderrTail: lastLines(stderr) };
  if ('refused' in outcome) {
    const { code, message, hint } = outcome.refused;
    const error = new PilothouseError(code, message, { hint, ids: { task: id } });
    return { ok: false, kind: 'start', error: error.toJSON(), ...stderrTail };
  }
  const usage = usageOf(result);
  if ('value' in outcome) return { ok: true, kind: 'exit', value: outcome.value, usage, ...stderrTail };
  const { exception } = outcome;
  const error = new PilothouseError(
    'FUNCTION_RAISED',
    `${name} raised ${exception.type}: ${firstLine(exception.message)}`,
    {
      hint: 'Its traceback says where; the exception itself comes with the result.',
      ids: { task: id },
      evidence: lastLines(exception.traceback),
    },
  );
  return { ok: false, kind: 'exception', error: error.toJSON(), exception, usage, ...stderrTail };
}

function usageOf({ wall, cpu, maxRss }: CallResult): TaskUsage {
  return { wall, cpu, maxRss, read: 0, written: 0, gpuUtil: null, gpuMemoryPeak: null };
}

/** The end of a call whose worker was killed under it, or ended by itself. */
export function workerLost(name: string, id: string, code: number, exit: SpawnExit, lastWords: string): RunEnd {
  const end = processEnd(code);
  const stderrTail = lastWords === '' ? {} : { stderrTail: lastLines(lastWords) };
  if (exit.oom !== null) return { ok: false, kind: 'signal', signal: 'SIGKILL', oom: exit.oom, ...stderrTail };
  const error = new PilothouseError('WORKER_LOST', `the worker that ran ${name} ${inWords(end)}`, {
    hint:
      end.signal === 'SIGKILL'
        ? 'Somebody or the system ended it; a process that takes too much memory ends like this.'
        : 'Something in the function has ended its process; the last lines of its error output may say what.',
    ids: { task: id },
    ...(lastWords === '' ? {} : { evidence: lastLines(lastWords) }),
  });
  return { ok: false, kind: 'signal', ...end, error: error.toJSON(), ...stderrTail };
}

/** The end of a call that had begun, in a worker of which nobody knows how far it got. */
export function callLost(id: string): RunEnd {
  const error = new PilothouseError('WORKER_LOST', 'nobody can say how far the call got: its worker was killed', {
    hint: 'Look at what it has written before you submit it again; it may have run.',
    ids: { task: id },
  });
  return { ok: false, kind: 'lost', error: error.toJSON() };
}

/** The error of calls whose worker ended before it could make any. */
export function workerFailed(program: string, code: number, lastWords: string): ErrorData {
  const message = `a worker started with ${program} ${inWords(processEnd(code))} before it could be asked anything`;
  return new PilothouseError('FUNCTION_NOT_SENDABLE', message, {
    hint: 'Its last lines say why; check the interpreter and its environment.',
    ...(lastWords === '' ? {} : { evidence: lastLines(lastWords) }),
  }).toJSON();
}

function lastLines(text: string): string {
  return text.trimEnd().slice(-TAIL_CHARACTERS).split('\n').slice(-TAIL_LINES).join('\n');
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n', 1);
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
