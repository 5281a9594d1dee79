import { describe, expect, it } from 'vitest';
import { journalLine } from '../src/link/decode.js';
import { callRecordSchema } from '../src/managers/answers/call-records.js';
import { logRecordSchema } from '../src/store/log-records.js';

// Lines as the version before services had several probes, ports and instances that come and go wrote them.
const T = '2026-01-01T00:00:00.000Z';
const STAMP = { seq: 1, epoch: 1, t: T };
const BASE = {
  id: 'service-0123456789',
  name: 'llm',
  seq: 3,
  since: T,
  reason: null,
  contact: { lost: false, since: T },
  error: null,
  times: {},
  owner: 'a.ipynb',
  createdAt: T,
  endedAt: null,
};
const ENDPOINT = { http: 'http://127.0.0.1:4000', keyFile: '/home/me/key' };
const INSTANCE = {
  id: 'instance-0123456789',
  index: 1,
  state: 'READY',
  since: T,
  reason: null,
  contact: { lost: false, since: T },
  attempt: 1,
  endpoint: ENDPOINT,
  bootstrap: null,
  probe: null,
  exitCode: null,
  stderrTail: null,
  output: null,
  error: null,
  times: {},
};
const PROBE = { http: '/health', interval: '5s', timeout: '2s', failures: 3 };
const SERVICE = {
  kind: 'service',
  ...BASE,
  state: 'READY',
  api: 'openai',
  origin: 'launched',
  description: {
    command: ['server', '{port}'],
    params: {},
    env: {},
    api: 'openai',
    resources: { cores: 1, gpus: 0 },
    instances: 1,
    ready: PROBE,
    startTimeout: '5m',
    restarts: 3,
    allowUnauthenticated: true,
  },
  template: null,
  pilot: 'pilot-0123456789',
  model: null,
  url: null,
  credential: null,
  openToNode: true,
  instances: [INSTANCE],
  load: { outstanding: 0, queued: 0, p50: null, recent: [] },
};

describe('what earlier versions wrote down is still read', () => {
  it('a launched service, whose spec no agent of today needs', () => {
    const spec = { id: 'service-0123456789', command: ['server'], probe: PROBE };
    const line = { ...STAMP, type: 'service.submitted', key: 'k', service: SERVICE, spec };
    const read = logRecordSchema.parse(line);
    expect(read).toMatchObject({
      spec: null,
      service: {
        scale: null,
        description: { probes: { readiness: { http: '/health' } }, instances: 1 },
        instances: [{ draining: false, endpoint: { url: ENDPOINT.http, keyFile: ENDPOINT.keyFile, serverKey: null } }],
      },
    });
    // What is written now is read back as it is.
    expect(logRecordSchema.parse(read)).toEqual(read);
  });

  it('a pilot without a router, an instance of a journal, and a chat', () => {
    const journal = {
      ...STAMP,
      type: 'instance',
      service: SERVICE.id,
      id: INSTANCE.id,
      state: 'READY',
      endpoint: ENDPOINT,
    };
    expect(journalLine.safeParse(journal)).toMatchObject({ success: true, data: { endpoint: { url: ENDPOINT.http } } });
    const answer = {
      kind: 'answer',
      ...BASE,
      id: 'answer-0123456789',
      state: 'DONE',
      service: { id: SERVICE.id, name: 'llm' },
      instance: null,
      messages: [{ role: 'user', content: 'hi' }],
      options: { timeout: '10m' },
      text: 'hello',
      chunks: 1,
      finishReason: 'stop',
      usage: null,
      timing: null,
      model: null,
      retryOf: null,
    };
    expect(callRecordSchema.parse({ ...STAMP, type: 'request', key: 'k', answer })).toMatchObject({
      answer: { request: { op: 'chat', messages: answer.messages }, attempts: [], value: null },
    });
  });
});
