import { readFileSync } from 'node:fs';
import { PilothouseError } from '@pilothouse/sdk/internal';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CompletionReader } from '../src/adapters/openai/completion-reader.js';
import { serverError as toError } from '../src/adapters/server-error.js';
import type { Outcome, Target } from '../src/types.js';
import { targetAt } from './support/targets.js';

const TARGET = targetAt('http://127.0.0.1:1', { key: 'k', name: 'smollm2' });
const LLAMA = ['llama-server-answer', 'llama-server-unicode', 'llama-server-no-usage'];
const TRANSFORMERS = ['transformers-serve-length', 'transformers-serve-stop'];

const recorded = (name: string): Buffer => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));

interface Read {
  readonly pieces: string[];
  readonly outcome: Outcome;
}

function read(parts: readonly Uint8Array[]): Read {
  const pieces: string[] = [];
  const reader = new CompletionReader(TARGET, (text) => pieces.push(text));
  for (const part of parts) reader.feed(part);
  return { pieces, outcome: reader.end() };
}

/** What the recording says, found without the parser: every `content` of every `data:` line. */
function contents(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice(6)).choices[0]?.delta.content)
    .filter((content) => typeof content === 'string' && content !== '');
}

function serverError(target: Target, status: number, body: string): PilothouseError {
  return toError({ target, what: 'chat API', remedy: 'Check its URL.' }, status, body);
}

function codeOf(step: () => unknown): string {
  try {
    step();
  } catch (error) {
    if (error instanceof PilothouseError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('recorded streams', () => {
  test.each([...LLAMA, ...TRANSFORMERS])('%s gives every piece of text as it was sent', (name) => {
    const bytes = recorded(`${name}.sse`);
    const { pieces } = read([bytes]);
    expect(pieces).toEqual(contents(bytes));
    expect(pieces.length).toBeGreaterThan(1);
  });

  test('llama-server reports usage and the time it computed', () => {
    const { outcome } = read([recorded('llama-server-answer.sse')]);
    expect(outcome).toMatchObject({
      finishReason: 'length',
      usage: { promptTokens: 38, completionTokens: 60 },
      model: 'smollm2',
    });
    const timings = /"prompt_ms":([\d.]+).*"predicted_ms":([\d.]+)/.exec(
      recorded('llama-server-answer.sse').toString(),
    );
    expect(outcome.inference).toBeCloseTo(Number(timings?.[1]) + Number(timings?.[2]), 6);
  });

  test('transformers serve ends without [DONE] and reports no computing time', () => {
    const bytes = recorded('transformers-serve-length.sse');
    expect(bytes.includes('[DONE]')).toBe(false);
    const { outcome } = read([bytes]);
    expect(outcome).toMatchObject({
      finishReason: 'length',
      usage: { promptTokens: 38, completionTokens: 40 },
      inference: null,
    });
  });
});

describe('cuts between reads', () => {
  const cases = [...LLAMA, ...TRANSFORMERS].map((name) => ({ bytes: recorded(`${name}.sse`), name }));

  test('any split of the bytes gives the same pieces and outcome', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...cases),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }),
        fc.boolean(),
        ({ bytes }, shares, crlf) => {
          const stream = crlf ? Buffer.from(bytes.toString('utf8').replaceAll('\n', '\r\n')) : bytes;
          const cuts = [
            0,
            ...shares.map((share) => Math.floor(share * stream.length)).sort((a, b) => a - b),
            stream.length,
          ];
          const parts = cuts.slice(1).map((end, index) => stream.subarray(cuts[index], end));
          expect(read(parts)).toEqual(read([bytes]));
        },
      ),
    );
  });

  test('one byte at a time too, in the middle of a character', () => {
    const bytes = recorded('llama-server-unicode.sse');
    const whole = read([bytes]);
    expect(whole.pieces.join('')).toMatch(/é.*🧬.*½/s);
    expect(read(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole);
  });

  test('a stream that ends anywhere before its reason is cut; what came is a beginning of the whole', () => {
    fc.assert(
      fc.property(fc.constantFrom(...cases), fc.double({ min: 0, max: 1, noNaN: true }), ({ bytes }, share) => {
        const whole = contents(bytes).join('');
        const pieces: string[] = [];
        const reader = new CompletionReader(TARGET, (text) => pieces.push(text));
        const length = Math.floor(share * bytes.length);
        reader.feed(bytes.subarray(0, length));
        const code = codeOf(() => reader.end());
        const text = pieces.join('');
        expect(whole.startsWith(text)).toBe(true);
        // A stream without a single byte is no beginning of anything.
        expect(code).toBe(reader.finished ? 'no error' : length === 0 ? 'BACKEND_FAILED' : 'STREAM_CUT');
        if (reader.finished) expect(text).toBe(whole);
      }),
    );
  });
});

describe('what servers do besides', () => {
  const feed =
    (...lines: string[]) =>
    () =>
      read([Buffer.from(lines.map((line) => `data: ${line}\n\n`).join(''))]);
  const delta = '{"choices":[{"index":0,"delta":{"content":"a"}}]}';

  test('[DONE] alone ends an answer; a lost end is STREAM_CUT', () => {
    expect(feed(delta, '[DONE]')().outcome.finishReason).toBeNull();
    expect(codeOf(feed(delta))).toBe('STREAM_CUT');
    expect(codeOf(() => read([]))).toBe('BACKEND_FAILED');
  });

  test('an error inside the stream is that error', () => {
    const overloaded = '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}';
    expect(codeOf(feed(delta, overloaded))).toBe('SERVICE_NOT_READY');
    expect(codeOf(feed(delta, '{"error":"out of memory"}'))).toBe('BACKEND_FAILED');
    expect(codeOf(() => read([Buffer.from('error: {"code":500,"message":"slot failed"}\n\n')]))).toBe('BACKEND_FAILED');
  });

  test('something that is no JSON, and a line without end, are failures of the server', () => {
    expect(codeOf(feed('<html>'))).toBe('BACKEND_FAILED');
    const reader = new CompletionReader(TARGET, () => undefined);
    const piece = Buffer.alloc(1024 * 1024, 'x');
    reader.feed(Buffer.from('data: '));
    expect(codeOf(() => Array.from({ length: 17 }, () => reader.feed(piece)))).toBe('BACKEND_FAILED');
  });

  test('other choices than the first and empty or absent deltas add nothing', () => {
    const second = '{"choices":[{"index":1,"delta":{"content":"b"}}]}';
    const empty = '{"choices":[{"index":0,"delta":{"content":""}},{"index":0}]}';
    const { pieces } = feed(second, empty, delta, '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}')();
    expect(pieces).toEqual(['a']);
  });

  test('a whole answer instead of a stream is taken', () => {
    const pieces: string[] = [];
    const reader = new CompletionReader(TARGET, (text) => pieces.push(text));
    const outcome = reader.whole(
      '{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}',
    );
    expect(pieces).toEqual(['yes']);
    expect(outcome).toMatchObject({ finishReason: 'stop', usage: { promptTokens: 3, completionTokens: 1 } });
  });
});

describe('JSON errors on a stream request', () => {
  test('a prompt over the context names both numbers', () => {
    const error = serverError(TARGET, 400, recorded('llama-server-400-context.json').toString());
    expect(error.code).toBe('CONTEXT_EXCEEDED');
    expect(error.message).toContain('1531 tokens');
    expect(error.message).toContain('1024');
    expect(error.retryable).toBe(false);
  });

  test.each([
    ['llama-server-401.json', 401, 'AUTHENTICATION_FAILED', false],
    ['llama-server-503-loading.json', 503, 'SERVICE_NOT_READY', true],
    ['llama-server-400-messages.json', 400, 'REQUEST_REFUSED', false],
  ])('%s', (file, status, code, retryable) => {
    const error = serverError(TARGET, status, recorded(file).toString());
    expect(error).toMatchObject({ code, retryable });
    expect(error.hint).toBeTruthy();
  });

  test('what other servers say is understood', () => {
    const openai =
      '{"error":{"message":"This model\'s maximum context length is 1024 tokens","type":"BadRequestError","code":400}}';
    expect(serverError(TARGET, 400, openai).code).toBe('CONTEXT_EXCEEDED');
    expect(serverError(TARGET, 404, '{"error":{"message":"The model `x` does not exist"}}').code).toBe(
      'MODEL_NOT_FOUND',
    );
    expect(serverError(TARGET, 404, 'Not Found').code).toBe('API_NOT_RECOGNISED');
    expect(serverError(TARGET, 429, '').code).toBe('QUEUE_FULL');
    expect(serverError(TARGET, 422, '{"detail":[{"msg":"field required"}]}').message).toContain('field required');
    expect(serverError(TARGET, 502, '<html>bad gateway</html>')).toMatchObject({
      code: 'BACKEND_FAILED',
      retryable: true,
    });
  });

  test('a wrong key names the credential, never the key', () => {
    const target = { ...TARGET, key: 'top-secret', credential: 'r3' };
    const error = serverError(target, 401, '');
    expect(error.message).toContain('"r3"');
    expect(JSON.stringify(error)).not.toContain('top-secret');
  });
});
