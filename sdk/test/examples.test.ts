import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { plainWords } from '../src/errors/plain-words.js';
import { splitPattern } from '../src/files/pattern.js';
import * as sdk from '../src/index.js';
import { show } from '../src/notebook/index.js';
import { createTestSession, testPilot } from '../src/testing/index.js';
import { reply } from '../src/testing/memory-answers.js';

const doseResponse = sdk.defineService({
  name: 'dose-response',
  input: z.object({ dose: z.array(z.number()), response: z.array(z.number()) }),
  output: z.object({ ec50: z.number(), hill: z.number() }),
});

const SOURCE = join(import.meta.dirname, '../src');

interface Example {
  readonly file: string;
  readonly code: string;
}

/** Every example of the documentation comments. */
function examples(): Example[] {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.sort().flatMap((file) => {
    const text = readFileSync(join(SOURCE, file), 'utf8');
    return [...text.matchAll(/@example\n\s*\* ```ts\n(.*?)\* ```/gs)].map(([, block = '']) => {
      return { file, code: block.replace(/^\s*\* ?/gm, '').replaceAll('*\\/', '*/') };
    });
  });
}

/** Where the comment behind a line is a value, the line must have it. */
function checked(code: string): string {
  return code.replace(/^(\(?(?!const|for|show)\S.*); \/\/ ((?:['[{]|\d).*)$/gm, 'expect($1).toEqual($2);');
}

describe('the examples of the documentation', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(examples().map((example, index) => [`${example.file} ${index}`, example.code] as const))(
    '%s runs',
    async (_where, code) => {
      vi.spyOn(console, 'log').mockImplementation(() => undefined);
      const { session } = createTestSession({
        picture: { pilots: [testPilot()] },
        functions: { 'scoring:score': (well: string) => well.length },
        files: { 'report.txt': 'all is well', 'prompts.jsonl': '{"id": "a", "prompt": "Why?"}' },
        reply: (request) => (request.op === 'call' ? { ec50: 1.5, hill: 2 } : reply(request)),
      });
      const llm = await session.services.ensure('smollm2');
      const embedder = await session.services.ensure('embedder');
      await session.services.start('dose-response', { command: ['serve'], api: 'zeromq' });
      const names = {
        ...sdk,
        ...{ z, show, plainWords, splitPattern, createTestSession, expect, session, llm, embedder },
        ...{ doseResponse, dose: [1, 2], response: [3, 4] },
        // These need a socket; what they do is tested where they are.
        ...{ serve: async () => undefined, ping: async () => ({ ok: true, text: '' }), serverKey: '', token: '' },
        connect: async () => session,
        connectBrowser: () => session,
        settings: { wsUrl: 'ws://127.0.0.1/' },
      };
      const options = { module: ModuleKind.ESNext, target: ScriptTarget.ES2022 };
      const { outputText } = transpileModule(`export async function run() {\n${checked(code)}\n}`, {
        compilerOptions: options,
      });
      const body = `${outputText.replaceAll('export ', '')}\nreturn run();`;
      await Reflect.apply(new Function(...Object.keys(names), body), undefined, Object.values(names));
      await session.close();
    },
  );

  it('are there', () => {
    const files = examples().map(({ file }) => file);
    expect(files).toContain('client/task-types.ts');
    expect(files).toContain('functions/define-function.ts');
  });
});
