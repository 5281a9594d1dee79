import { testService } from '@pilothouse/sdk/testing';
import { describe, expect, it } from 'vitest';
import { type Subject, serviceSubject, snippet } from '../src/format/snippets.js';

/** A service asked a question. */
function asking(prompt: string): Subject {
  const request = { op: 'chat' as const, messages: [{ role: 'user' as const, content: prompt }] };
  return { kind: 'service', name: 'smollm2', ask: { request, options: { maxTokens: 120 } } };
}

const FIT = {
  type: 'object',
  required: ['dose'],
  properties: { dose: { type: 'array', items: { type: 'number' } }, steps: { type: 'integer', default: 10 } },
};

describe('code for people', () => {
  it('asks a service in Python', () => {
    expect(snippet(asking('Say "hi"'), 'python')).toBe(
      [
        'import pilothouse as ph',
        's = ph.connect()',
        'llm = s.services.get("smollm2")',
        'llm.chat("Say \\"hi\\"", max_tokens=120)',
      ].join('\n'),
    );
  });

  it('asks a service in TypeScript, quotes and line ends escaped', () => {
    const code = snippet(asking('It\'s "so"\nyes'), 'tslab');
    expect(code).toContain(`show(llm.chat('It\\'s "so"\\nyes', { maxTokens: 120 }));`);
    expect(code).toBe(snippet(asking('It\'s "so"\nyes'), 'deno'));
  });

  it('asks each kind of service what it takes', () => {
    const method = { name: 'fit', description: null, output: {}, chunk: null, input: FIT };
    const of = (changes: Parameters<typeof testService>[0], language: 'python' | 'tslab') =>
      snippet(serviceSubject(testService({ name: 'mine', ...changes })), language)
        .split('\n')
        .at(-1);
    expect(of({ api: 'zeromq', methods: [method] }, 'python')).toBe('llm.call("fit", {"dose": [], "steps": 10})');
    expect(of({ api: 'zeromq', methods: [method] }, 'tslab')).toBe("show(llm.call('fit', { dose: [], steps: 10 }));");
    expect(of({ api: 'rest' }, 'python')).toBe('llm.rest("/", method="GET")');
    expect(of({ api: 'open-inference' }, 'tslab')).toContain("show(llm.infer([{ name: 'input-0', shape: [1, 3]");
    expect(of({ api: 'any' }, 'python')).toBe('llm');
  });

  it('turns names of fields into the language’s own', () => {
    const subject = {
      kind: 'attach',
      description: { url: 'http://127.0.0.1:1/v1', credential: 'r3', allowUnauthenticated: true },
    } as const;
    expect(snippet(subject, 'python')).toContain(
      's.services.attach(url="http://127.0.0.1:1/v1", credential="r3", allow_unauthenticated=True)',
    );
    expect(snippet(subject, 'tslab')).toContain(
      "attach({ url: 'http://127.0.0.1:1/v1', credential: 'r3', allowUnauthenticated: true })",
    );
  });

  it('makes a pilot by name, or a new one', () => {
    const description = { cores: 2, runtime: '1h' };
    expect(snippet({ kind: 'new-pilot', description: { name: 'demo', ...description } }, 'python')).toContain(
      'pilot = s.pilots.ensure("demo", cores=2, runtime="1h")',
    );
    expect(snippet({ kind: 'new-pilot', description }, 'tslab')).toContain(
      "session.pilots.submit({ cores: 2, runtime: '1h' })",
    );
  });

  it('names the template only where the service is called differently', () => {
    const of = (name: string) =>
      snippet(
        { kind: 'new-service', template: 'smollm2', description: { name, params: { ctx: 512 }, pilot: 'demo' } },
        'python',
      );
    expect(of('smollm2')).toContain('s.services.ensure("smollm2", params={"ctx": 512}, pilot="demo")');
    const instances = { name: 'smollm2', instances: { min: 1, max: 4 } };
    const scaled: Subject = { kind: 'new-service', template: 'smollm2', description: instances };
    expect(snippet(scaled, 'python')).toContain('ensure("smollm2", instances=(1, 4))');
    expect(snippet(scaled, 'tslab')).toContain("ensure('smollm2', { instances: { min: 1, max: 4 } })");
    const own: Subject = {
      kind: 'new-service',
      template: null,
      description: { name: 'fit', command: ['./fit'], api: 'zeromq' },
    };
    expect(snippet(own, 'python')).toContain('ensure("fit", command=["./fit"], api="zeromq")');
    expect(of('other')).toContain('s.services.ensure("other", template="smollm2", params={"ctx": 512}, pilot="demo")');
  });
});
