import type { AnswerRecord, InstanceRecord, ServiceRecord } from '../schemas/index.js';
import { instanceStates } from '../states/index.js';
import { rateSentence } from './task-words.js';
import { errorSentence, formatMilliseconds, formatTime, probeSentence, stateMark, whySentence } from './words.js';

/** Characters of a value that a view shows. */
const VALUE_LENGTH = 2_000;

/** `3 under way · 2 waiting · 12/s · p50 217 ms · p99 900 ms · 1 failed`; null while nobody asks. */
export function loadSentence({ load }: Pick<ServiceRecord, 'load'>): string | null {
  const parts = [
    load.outstanding > 0 ? `${load.outstanding} under way` : null,
    load.queued > 0 ? `${load.queued} waiting` : null,
    load.perSecond > 0 ? rateSentence(load.perSecond) : null,
    load.p50 === null ? null : `p50 ${formatMilliseconds(load.p50)}`,
    load.p99 === null ? null : `p99 ${formatMilliseconds(load.p99)}`,
    load.failed > 0 ? `${load.failed} failed` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(' · ');
}

/** `scales between 1 and 4, now 2: 14 requests for 1 instance, for 3 s`; null for a fixed number of instances. */
export function scaleSentence({ scale }: Pick<ServiceRecord, 'scale'>): string | null {
  if (scale === null) return null;
  const range = `scales between ${scale.min} and ${scale.max}, now ${scale.wanted}`;
  return scale.why === null ? range : `${range}: ${scale.why}`;
}

/** `methods: count, track`; null where it says none. */
export function methodsSentence({ methods }: Pick<ServiceRecord, 'methods'>): string | null {
  if (methods === null || methods.length === 0) return null;
  return `methods: ${methods.map(({ name }) => name).join(', ')}`;
}

/** One instance in a line: `● instance 1 · READY · answers in 3 ms · http://127.0.0.1:41233`. */
export function instanceSentence(instance: InstanceRecord): string {
  const state = stateMark('instance', instance.state);
  const { load, progress, endpoint, draining } = instance;
  const loading = instance.state === 'INITIALIZING' && progress ? progress : null;
  const live = instance.state === 'READY' || instance.state === 'UNHEALTHY';
  const parts = [
    `instance ${instance.index}`,
    state.word,
    draining && live ? 'takes nothing new' : null,
    loading ? loadingSentence(loading) : instanceStates.isFinal(instance.state) ? null : probeSentence(instance),
    load?.ejectedUntil ? `left out until ${formatTime(load.ejectedUntil)}${load.why ? `: ${load.why}` : ''}` : null,
    live ? endpoint?.url : null,
    whySentence(instance),
  ].filter(Boolean);
  return `${state.shape} ${parts.join(' · ')}`;
}

/** `loading weights, 38 %` */
function loadingSentence({ text, share }: NonNullable<InstanceRecord['progress']>): string {
  return share === null ? text : `${text}, ${Math.round(share * 100)} %`;
}

/** Which instances were asked in vain before, one line each. */
export function attemptLines({ attempts }: Pick<AnswerRecord, 'attempts'>): string[] {
  return attempts.map(({ instance, error }) => `instance ${instance} was asked before. ${errorSentence(error)}`);
}

/** What an answer came to where that is not text: `2 vectors of 384 numbers`, `y FP32 [2, 3]`, JSON; null: nothing yet. */
export function valueSentence({ request, value }: Pick<AnswerRecord, 'request' | 'value'>): string | null {
  if (value === null || value === undefined) return null;
  if (request.op === 'embed' && Array.isArray(value)) {
    const [first]: unknown[] = value;
    const length = Array.isArray(first) ? first.length : 0;
    return `${value.length} ${value.length === 1 ? 'vector' : 'vectors'} of ${length} numbers`;
  }
  const text = JSON.stringify(value, null, 1) ?? '';
  return text.length > VALUE_LENGTH ? `${text.slice(0, VALUE_LENGTH)} …` : text;
}
