import {
  type AgentFrame,
  agentFrameSchema,
  type JournalRecord,
  journalRecordSchema,
  taskStates,
} from '@pilothouse/sdk/internal';
import { earlierLine } from '../store/earlier-records.js';

type TaskJournal = Extract<JournalRecord, { type: 'task' }>;
type Check = (value: unknown) => boolean;

/**
 * A frame of an agent; null when it is not one. Journal records of tasks come by the ten thousand a second, so these are
 * looked at by hand; whatever is not plainly one of them is left to the schema.
 */
export function decodeFrame(payload: Buffer): AgentFrame | null {
  let value: unknown;
  try {
    value = JSON.parse(payload.toString('utf8'));
  } catch {
    return null; // Not JSON: the caller says so.
  }
  if (isObject(value) && value.type === 'events' && Array.isArray(value.records) && value.records.length > 0) {
    const records: JournalRecord[] = [];
    for (const one of value.records) {
      const record = journalRecord(one);
      if (record === null) return null;
      records.push(record);
    }
    return { type: 'events', records };
  }
  const result = agentFrameSchema.safeParse(value);
  return result.success ? result.data : null;
}

/** One record of a journal; null when it is none. */
export function journalRecord(value: unknown): JournalRecord | null {
  if (isTaskRecord(value)) return value;
  const result = journalRecordSchema.safeParse(value);
  return result.success ? result.data : null;
}

/** Stands for a whole record when lines of a journal are read. */
export const journalLine = {
  safeParse: (value: unknown) => {
    if (isTaskRecord(value)) return { success: true as const, data: value as JournalRecord };
    return journalRecordSchema.safeParse(earlierLine(value));
  },
};

const isNumber: Check = (value) => typeof value === 'number';
const isText: Check = (value) => typeof value === 'string';
const isState: Check = (value) => typeof value === 'string' && STATES.has(value);
const STATES: ReadonlySet<string> = new Set(taskStates.states);
const isPart: Check = (value) => isObject(value) && isNumber(value.offset) && isNumber(value.length);
const isMeasure: Check = (value) => value === null || typeof value === 'number';

/** The fields that task records have at speed. Any other makes the schema look. */
const CHECKS: Readonly<Record<string, Check>> = {
  seq: isNumber,
  epoch: isNumber,
  t: isText,
  type: isText,
  id: isText,
  state: isState,
  attempt: isNumber,
  retries: isNumber,
  pid: isNumber,
  exitCode: isNumber,
  signal: isText,
  stderrTail: isText,
  reason: (value) =>
    value === null || (isObject(value) && isText(value.code) && isText(value.text) && isText(value.since)),
  output: (value) => isObject(value) && isText(value.file) && isPart(value.stdout) && isPart(value.stderr),
  placement: (value) =>
    isObject(value) &&
    isText(value.node) &&
    Array.isArray(value.cores) &&
    value.cores.every(isNumber) &&
    Array.isArray(value.gpus) &&
    value.gpus.every(isText),
  usage: (value) =>
    isObject(value) &&
    isNumber(value.wall) &&
    isNumber(value.cpu) &&
    isNumber(value.maxRss) &&
    isNumber(value.read) &&
    isNumber(value.written) &&
    isMeasure(value.gpuUtil) &&
    isMeasure(value.gpuMemoryPeak),
  passed: (value) =>
    Array.isArray(value) && value.every((one) => Array.isArray(one) && isState(one[0]) && isText(one[1])),
  value: (value) =>
    isObject(value) && Object.keys(value).length === 1 && ('json' in value || typeof value.pickle === 'string'),
};

function isTaskRecord(value: unknown): value is TaskJournal {
  if (!isObject(value) || value.type !== 'task') return false;
  if (!isNumber(value.seq) || !isText(value.t) || !isText(value.id) || !isState(value.state)) return false;
  for (const field in value) {
    const check = CHECKS[field];
    if (check === undefined || !check(value[field])) return false;
  }
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
