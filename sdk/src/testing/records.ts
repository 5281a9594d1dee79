import { newId } from '../ids/ids.js';
import {
  type AnswerRecord,
  type BatchRecord,
  batchDescriptionSchema,
  type InstanceRecord,
  type PilotRecord,
  pilotDescriptionSchema,
  type RecordKind,
  type ServiceRecord,
  serviceDescriptionSchema,
  type TaskRecord,
  type TaskSetRecord,
  taskDescriptionSchema,
} from '../schemas/index.js';
import { toSeconds } from '../units/duration.js';
import { toBytes } from '../units/size.js';

function base(kind: RecordKind, state: string) {
  const now = new Date().toISOString();
  const id = newId(kind);
  return {
    id,
    name: id,
    seq: 0,
    since: now,
    reason: null,
    contact: { lost: false, since: now },
    error: null,
    times: { [state]: now },
    owner: 'test',
    createdAt: now,
    endedAt: null,
  };
}

/** A pilot as the bridge would report it: ACTIVE, two cores, one hour; `changes` replace fields. */
export function testPilot(changes: Partial<PilotRecord> = {}): PilotRecord {
  const description = changes.description ?? pilotDescriptionSchema.parse({ cores: 2 });
  const seconds = toSeconds(description.runtime);
  const shared = base('pilot', changes.state ?? 'ACTIVE');
  return {
    kind: 'pilot',
    ...shared,
    state: 'ACTIVE',
    description,
    engine: 'local',
    resources: {
      cores: description.cores,
      gpus: description.gpus,
      memory: description.memory === undefined ? null : toBytes(description.memory),
      runtime: seconds,
    },
    usage: { cores: 0, gpus: 0, memory: 0, running: 0, waiting: 0, done: 0, failed: 0 },
    node: 'node1',
    startedAt: shared.createdAt,
    endsAt: new Date(Date.parse(shared.createdAt) + seconds * 1000).toISOString(),
    suspended: false,
    idle: null,
    efficiency: null,
    gateway: null,
    ...changes,
  };
}

/** A task as the bridge would report it: RUNNING; `changes` replace fields. */
export function testTask(changes: Partial<TaskRecord> = {}): TaskRecord {
  return {
    kind: 'task',
    ...base('task', changes.state ?? 'RUNNING'),
    state: 'RUNNING',
    description: taskDescriptionSchema.parse({ command: ['true'] }),
    pilot: newId('pilot'),
    set: null,
    retryOf: null,
    resumedFrom: null,
    cwd: '/tmp',
    attempt: 1,
    exitCode: null,
    signal: null,
    stderrTail: null,
    output: null,
    usage: null,
    placement: null,
    staging: null,
    value: null,
    exception: null,
    ...changes,
  };
}

/** A task set as the bridge would report it: RUNNING, open, without tasks; `changes` replace fields. */
export function testTaskSet(changes: Partial<TaskSetRecord> = {}): TaskSetRecord {
  return {
    kind: 'set',
    ...base('set', changes.state ?? 'RUNNING'),
    state: 'RUNNING',
    pilot: null,
    open: true,
    expected: null,
    counts: { total: 0, waiting: 0, running: 0, done: 0, failed: 0, canceled: 0, resumed: 0 },
    rate: null,
    eta: null,
    failures: [],
    retryOf: null,
    summary: '',
    ...changes,
  };
}

/** One copy of a service as the bridge would report it: READY; `changes` replace fields. */
export function testInstance(changes: Partial<InstanceRecord> = {}): InstanceRecord {
  const since = changes.since ?? new Date().toISOString();
  return {
    id: newId('instance'),
    index: 1,
    state: 'READY',
    since,
    reason: null,
    contact: { lost: false, since },
    attempt: 1,
    endpoint: {
      url: 'http://127.0.0.1:41233',
      ports: { http: 'http://127.0.0.1:41233' },
      keyFile: null,
      serverKey: null,
    },
    bootstrap: { launch: 40, init: 900, publish: 5 },
    probe: { ok: true, at: since, latency: 3, text: '200' },
    probes: {},
    progress: null,
    draining: false,
    load: null,
    exitCode: null,
    stderrTail: null,
    output: null,
    error: null,
    times: { READY: since },
    ...changes,
  };
}

/** A service as the bridge would report it: one READY instance; `changes` replace fields. */
export function testService(changes: Partial<ServiceRecord> = {}): ServiceRecord {
  const shared = base('service', changes.state ?? 'READY');
  return {
    kind: 'service',
    ...shared,
    state: 'READY',
    api: 'openai',
    origin: 'launched',
    description: serviceDescriptionSchema.parse({ template: 'smollm2' }),
    template: 'smollm2',
    pilot: newId('pilot'),
    model: 'smollm2',
    url: null,
    credential: null,
    openToNode: false,
    instances: [testInstance({ since: shared.since })],
    scale: null,
    methods: null,
    load: { outstanding: 0, queued: 0, p50: null, p99: null, perSecond: 0, failed: 0, recent: [] },
    ...changes,
  };
}

/** An answer as the bridge would report it: STREAMING, nothing said yet; `changes` replace fields. */
export function testAnswer(changes: Partial<AnswerRecord> = {}): AnswerRecord {
  return {
    kind: 'answer',
    ...base('answer', changes.state ?? 'STREAMING'),
    state: 'STREAMING',
    service: { id: newId('service'), name: 'smollm2' },
    instance: { id: newId('instance'), index: 1 },
    request: { op: 'chat', messages: [{ role: 'user', content: 'Hello?' }] },
    options: { timeout: '10m' },
    text: null,
    chunks: 0,
    finishReason: null,
    usage: null,
    timing: null,
    model: 'smollm2',
    revision: null,
    value: null,
    attempts: [],
    retryOf: null,
    ...changes,
  };
}

/** A batch as the bridge would report it: RUNNING, nothing read yet; `changes` replace fields. */
export function testBatch(changes: Partial<BatchRecord> = {}): BatchRecord {
  return {
    kind: 'batch',
    ...base('batch', changes.state ?? 'RUNNING'),
    state: 'RUNNING',
    service: { id: newId('service'), name: 'smollm2' },
    pilot: newId('pilot'),
    description: batchDescriptionSchema.parse({ service: 'smollm2', input: { file: 'prompts.jsonl' } }),
    out: '/tmp/answers.jsonl',
    progress: { total: null, done: 0, failed: 0, kept: 0, inFlight: 0, rate: null, eta: null, tokens: 0 },
    failures: [],
    ...changes,
  };
}
