import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';
import { exampleOf } from '../src/format/schema-example.js';
import { asTensors, asVectors, fieldsOf, shortNumbers } from '../src/format/value.js';
import { type Drafts, FIRST_OPTIONS, firstDrafts, optionsOf, requestOf } from '../src/try-it/drafts.js';

const trans = nullTranslator.load('pilothouse');
const drafts = (change: Partial<Drafts>): Drafts => ({ ...firstDrafts(null), ...change });

describe('what the boxes make', () => {
  it('chats with system message and image', () => {
    const chat = { system: 'Be brief.', prompt: 'How many?', image: 'data/A01.png' };
    expect(requestOf('chat', drafts({ chat }), trans)).toEqual({
      request: {
        op: 'chat',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: [{ text: 'How many?' }, { image: 'data/A01.png' }] },
        ],
      },
    });
    expect(requestOf('chat', drafts({ chat: { ...chat, prompt: ' ' } }), trans)).toHaveProperty('issue');
  });

  it('embeds one text a line', () => {
    const made = requestOf('embed', drafts({ embed: { input: 'a\n\n b\n' } }), trans);
    expect(made).toEqual({ request: { op: 'embed', input: ['a', ' b'] } });
  });

  it('reads tensors as people write them, and counts', () => {
    const tensor = { name: 'x', datatype: 'FP32', shape: '[2, 2]', data: '[[1, 2], [3, 4.5]]' };
    const infer = (change: object) =>
      requestOf('infer', drafts({ infer: { inputs: [{ ...tensor, ...change }], stream: false } }), trans);
    expect(infer({})).toEqual({
      request: {
        op: 'infer',
        inputs: [{ name: 'x', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4.5] }],
        stream: false,
      },
    });
    expect(infer({ data: '1 2 3' })).toEqual({ issue: 'x has 3 values, its shape asks for 4.' });
    expect(infer({ data: '1 2 3 four' })).toEqual({ issue: 'x holds something that is no FP32.' });
    expect(infer({ shape: 'two' })).toHaveProperty('issue');
    expect(infer({ datatype: 'BYTES', shape: '1', data: 'a text, with words' })).toMatchObject({
      request: { inputs: [{ data: ['a text, with words'] }] },
    });
  });

  it('sends a body only where there is one, and says what is no JSON', () => {
    const rest = (change: Partial<Drafts['rest']>) =>
      requestOf('rest', drafts({ rest: { method: 'POST', path: '/run', body: '', ...change } }), trans);
    expect(rest({})).toEqual({ request: { op: 'rest', method: 'POST', path: '/run' } });
    expect(rest({ body: '{"a": 1}' })).toEqual({
      request: { op: 'rest', method: 'POST', path: '/run', body: { a: 1 } },
    });
    expect(rest({ body: '{' })).toHaveProperty('issue');
    expect(rest({ path: 'run' })).toHaveProperty('issue');
  });

  it('takes options that mean something, and names those that are wrong', () => {
    const typed = { ...FIRST_OPTIONS, temperature: '0.2', seed: '7', timeout: '30s', instance: '2', stop: 'END' };
    expect(optionsOf('chat', typed)).toEqual({
      options: { maxTokens: 256, temperature: 0.2, seed: 7, timeout: '30s', instance: 2, stop: ['END'] },
    });
    expect(optionsOf('embed', typed)).toEqual({ options: { timeout: '30s', instance: 2 } });
    expect(optionsOf('chat', { ...FIRST_OPTIONS, topP: '2', timeout: 'soon' })).toEqual({ wrong: ['timeout', 'topP'] });
  });
});

describe('an example of what a method takes', () => {
  it('fills what is required, and what has a default', () => {
    const schema = {
      type: 'object',
      required: ['name', 'nested', 'count'],
      properties: {
        name: { type: 'string' },
        count: { type: 'integer', minimum: 3 },
        left: { type: 'string' },
        steps: { default: 10 },
        nested: { $ref: '#/$defs/Nested' },
        choice: { enum: ['a', 'b'], default: 'b' },
      },
      $defs: { Nested: { type: 'object', required: ['on'], properties: { on: { type: 'boolean' } } } },
    };
    expect(exampleOf(schema)).toEqual({ name: '', count: 3, steps: 10, nested: { on: false }, choice: 'b' });
  });

  it('ends also where a schema holds itself', () => {
    const schema = { type: 'object', required: ['next'], properties: { next: { $ref: '#' } } };
    expect(JSON.stringify(exampleOf(schema)).length).toBeLessThan(200);
  });
});

describe('what came back', () => {
  it('is told apart', () => {
    expect(asVectors([[1, 2]])).toEqual([[1, 2]]);
    expect(asVectors({ a: 1 })).toBeNull();
    const tensor = { name: 'y', shape: [1], datatype: 'FP32', data: [0.5] };
    expect(asTensors({ outputs: [tensor], model_name: 'm' })).toEqual([tensor]);
    expect(asTensors([tensor])).toEqual([tensor]);
    expect(fieldsOf({ ec50: 1.5, curve: [1, 2] })).toEqual([
      ['ec50', '1.5'],
      ['curve', '[1,2]'],
    ]);
    expect(fieldsOf([1])).toBeNull();
    expect(shortNumbers([0.123456, 2, 3], 2)).toBe('0.1235, 2, … 1 more');
  });
});
