import type { ErrorData } from '../errors/index.js';
import type {
  AnswerRecord,
  AnyRecord,
  Bootstrap,
  Contact,
  InstanceRecord,
  PilotRecord,
  ServiceRecord,
  TaskRecord,
  Timing,
  Usage,
} from '../schemas/index.js';
import { stateWords } from '../states/index.js';
import { formatSeconds } from '../units/duration.js';
import { formatBytes } from '../units/size.js';

/** How a state feels: drives its colour. */
export type Tone = 'good' | 'busy' | 'waiting' | 'over' | 'bad';

/** A state for people: by shape, by word, and by colour (of its tone). */
export interface StateMark {
  readonly shape: '●' | '◐' | '◌' | '✕' | '■';
  readonly word: string;
  readonly tone: Tone;
}

const SHAPES = { good: '●', busy: '◐', waiting: '◌', bad: '✕', over: '■' } as const;

const TONES: { readonly [K in AnyRecord['kind'] | 'instance']: Readonly<Record<string, Tone>> } = {
  pilot: { NEW: 'waiting', QUEUED: 'waiting', STARTING: 'busy', ACTIVE: 'good', DRAINING: 'busy', FAILED: 'bad' },
  task: {
    NEW: 'waiting',
    WAITING: 'waiting',
    SCHEDULING: 'waiting',
    STAGING_INPUT: 'busy',
    LAUNCHING: 'busy',
    RUNNING: 'busy',
    STAGING_OUTPUT: 'busy',
    DONE: 'good',
    FAILED: 'bad',
  },
  set: { RUNNING: 'busy', DONE: 'good', FAILED: 'bad' },
  service: { STARTING: 'busy', READY: 'good', DEGRADED: 'busy', UNAVAILABLE: 'bad', STOPPING: 'busy', FAILED: 'bad' },
  instance: {
    NEW: 'waiting',
    WAITING: 'waiting',
    SCHEDULING: 'waiting',
    LAUNCHING: 'busy',
    INITIALIZING: 'busy',
    READY: 'good',
    UNHEALTHY: 'bad',
    BACKOFF: 'waiting',
    STOPPING: 'busy',
    FAILED: 'bad',
  },
  answer: { NEW: 'waiting', QUEUED: 'waiting', STREAMING: 'busy', DONE: 'good', FAILED: 'bad' },
  batch: { NEW: 'waiting', WAITING: 'waiting', RUNNING: 'busy', DONE: 'good', FAILED: 'bad' },
};

/** Shape, word and tone of a state. What is not named above is over: ended, stopped, canceled. */
export function stateMark(kind: AnyRecord['kind'] | 'instance', state: string): StateMark {
  const tone = TONES[kind][state] ?? 'over';
  return { shape: SHAPES[tone], word: stateWords[state] ?? state, tone };
}

/** Where an engine runs things, as users meet it. */
export function engineWord(engine: PilotRecord['engine']): string {
  return { local: 'This machine' }[engine];
}

/** A time that reads the same wherever the notebook is opened: `2026-03-01 14:02 UTC`. */
export function formatTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** Milliseconds the way people compare them: `0.4 ms`, `217 ms`, `12.3 s`. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds < 10) return `${Number(milliseconds.toFixed(1))} ms`;
  if (milliseconds < 10_000) return `${Math.round(milliseconds)} ms`;
  return milliseconds < 60_000 ? `${(milliseconds / 1000).toFixed(1)} s` : formatSeconds(milliseconds / 1000);
}

/** Appended to a state while the thing cannot be seen; null while it can. */
export function contactSentence(contact: Contact): string | null {
  return contact.lost ? `unreachable since ${formatTime(contact.since)}` : null;
}

/** Starts with a capital and ends with a full stop, whoever wrote it. */
export function sentence(text: string): string {
  const whole = capital(text.trim());
  return whole === '' || /[.!?…]$/.test(whole) ? whole : `${whole}.`;
}

/** What went wrong, with the remedy first and the code last. */
export function errorSentence({ hint, message, code }: Pick<ErrorData, 'hint' | 'message' | 'code'>): string {
  const what = `${capital(message).replace(/[.\s]+$/, '')} (${code}).`;
  return hint === undefined ? what : `${sentence(hint)} ${what}`;
}

/** Why it is not further than it is, or what went wrong; null when there is nothing to say. */
export function whySentence(record: Pick<AnyRecord, 'error' | 'reason'>): string | null {
  if (record.error) return errorSentence(record.error);
  return record.reason?.text ?? null;
}

/** `2 cores · 1 GPU · 4 GiB`; what is not held is left out. */
export function resourcesSentence({ resources }: PilotRecord): string {
  return [
    count(resources.cores, 'core'),
    resources.gpus > 0 ? count(resources.gpus, 'GPU') : null,
    resources.memory === null ? null : formatBytes(resources.memory),
  ]
    .filter(Boolean)
    .join(' · ');
}

/** What a pilot is doing: `cores 1/2 · 3 running · 1 waiting`. */
export function usageSentence({ resources, usage }: PilotRecord): string {
  return [
    `cores ${usage.cores}/${resources.cores}`,
    resources.gpus > 0 ? `GPUs ${usage.gpus}/${resources.gpus}` : null,
    `${usage.running} running`,
    usage.waiting > 0 ? `${usage.waiting} waiting` : null,
    usage.failed > 0 ? `${usage.failed} failed` : null,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** `1/2 ready`, of those that have not been stopped. */
export function readySentence({ instances }: ServiceRecord): string {
  const there = instances.filter(({ state }) => state !== 'STOPPED');
  return `${there.filter(({ state }) => state === 'READY').length}/${there.length} ready`;
}

/** Who answered: `smollm2 · instance 1`. */
export function answeredBy({ service, instance }: AnswerRecord): string {
  return instance ? `${service.name} · instance ${instance.index}` : service.name;
}

/** One figure of a table or line. */
export interface Figure {
  readonly label: string;
  readonly text: string;
}

/** The parts of a request's time in the order they happen, then what follows from them. */
export function timingFigures(timing: Timing, usage: Usage | null): Figure[] {
  const reported = (value: number | null) => (value === null ? 'not reported' : formatMilliseconds(value));
  return [
    { label: 'communication', text: formatMilliseconds(timing.communication) },
    { label: 'queue', text: formatMilliseconds(timing.queue) },
    { label: 'service', text: formatMilliseconds(timing.service) },
    { label: 'inference', text: reported(timing.inference) },
    { label: 'total', text: formatMilliseconds(timing.total) },
    { label: 'first token', text: reported(timing.ttft) },
    { label: 'tokens/s', text: timing.tokensPerSecond === null ? 'not reported' : rate(timing.tokensPerSecond) },
    { label: 'tokens', text: usage === null ? 'not reported' : String(usage.completionTokens) },
  ];
}

/** The timing in one line: `communication 1.1 ms · queue 0.4 ms · … · 36 tokens`. */
export function timingLine(timing: Timing, usage: Usage | null): string {
  return timingFigures(timing, usage)
    .map(({ label, text }) => {
      if (text === 'not reported') return `${label} ${text}`;
      return label === 'tokens' || label === 'tokens/s' ? `${text} ${label}` : `${label} ${text}`;
    })
    .join(' · ');
}

/** Bootstrap time: launch + init + publish. */
export function bootstrapFigures({ launch, init, publish }: Bootstrap): Figure[] {
  return [
    { label: 'launch', text: formatMilliseconds(launch) },
    { label: 'init', text: formatMilliseconds(init) },
    { label: 'publish', text: formatMilliseconds(publish) },
    { label: 'start in all', text: formatMilliseconds(launch + init + publish) },
  ];
}

/** What the latest probe of an instance said. */
export function probeSentence({ probe }: InstanceRecord): string {
  if (probe === null) return 'not probed yet';
  return probe.ok ? `answers in ${formatMilliseconds(probe.latency)}` : `probe failed: ${probe.text}`;
}

/** How a task ended: `exit 1`, `ended by SIGKILL`; null while it runs. */
export function exitSentence({ exitCode, signal }: TaskRecord): string | null {
  if (signal !== null) return `ended by ${signal}`;
  return exitCode === null ? null : `exit ${exitCode}`;
}

function rate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
