import { describe, expect, it } from 'vitest';
import { snippet } from '../src/format/snippets.js';

describe('code for people', () => {
  it('asks a service in Python', () => {
    expect(snippet({ kind: 'service', name: 'smollm2', prompt: 'Say "hi"' }, 'python')).toBe(
      [
        'import pilothouse as ph',
        's = ph.connect()',
        'llm = s.services.get("smollm2")',
        'llm.chat("Say \\"hi\\"", max_tokens=120)',
      ].join('\n'),
    );
  });

  it('asks a service in TypeScript, quotes and line ends escaped', () => {
    const code = snippet({ kind: 'service', name: 'smollm2', prompt: 'It\'s "so"\nyes' }, 'tslab');
    expect(code).toContain(`show(llm.chat('It\\'s "so"\\nyes', { maxTokens: 120 }));`);
    expect(code).toBe(snippet({ kind: 'service', name: 'smollm2', prompt: 'It\'s "so"\nyes' }, 'deno'));
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
    expect(of('other')).toContain('s.services.ensure("other", template="smollm2", params={"ctx": 512}, pilot="demo")');
  });
});
