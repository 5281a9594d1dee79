import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { checkInput, checkOutput } from './check.js';
import { defineService } from './define-service.js';
import { methodsOf, validatorFor } from './json-schema.js';
import type { HandlerInput, MethodChunk, MethodInput, MethodOutput } from './types.js';

const fit = defineService({
  name: 'dose-response',
  input: z.object({ dose: z.array(z.number()), model: z.enum(['hill', 'line']).default('hill') }),
  output: z.object({ ec50: z.number() }),
});
const several = defineService({
  name: 'several',
  methods: {
    count: { input: z.number(), output: z.string(), chunk: z.number(), description: 'Counts.' },
    raw: { input: z.instanceof(Float64Array), output: z.number() },
  },
});

describe('defineService', () => {
  it('gives types to both ends', () => {
    type Call = (typeof fit)['methods']['call'];
    type Count = (typeof several)['methods']['count'];
    expectTypeOf<MethodInput<Call>>().toEqualTypeOf<{ dose: number[]; model?: 'hill' | 'line' | undefined }>();
    expectTypeOf<HandlerInput<Call>>().toEqualTypeOf<{ dose: number[]; model: 'hill' | 'line' }>();
    expectTypeOf<MethodOutput<Call>>().toEqualTypeOf<{ ec50: number }>();
    expectTypeOf<MethodChunk<Call>>().toEqualTypeOf<never>();
    expectTypeOf<MethodChunk<Count>>().toEqualTypeOf<number>();
    expect({ single: fit.single, methods: Object.keys(several.methods) }).toEqual({
      single: true,
      methods: ['count', 'raw'],
    });
  });

  it('checks with the schemas, and names the place', () => {
    expect(checkInput(fit, 'call', { dose: [1] })).toEqual({ dose: [1], model: 'hill' });
    expect(() => checkInput(fit, 'call', { dose: ['x'] })).toThrow(expect.objectContaining({ field: 'input.dose.0' }));
    expect(() => checkOutput(fit, 'call', {})).toThrow(expect.objectContaining({ code: 'INVALID_RESULT' }));
    expect(() => checkInput(fit, 'none', 1)).toThrow(expect.objectContaining({ code: 'METHOD_NOT_FOUND' }));
  });

  it('publishes JSON Schema that checks the same; what JSON Schema cannot say passes', () => {
    const [count, raw] = methodsOf(several);
    expect(count).toMatchObject({ name: 'count', description: 'Counts.', input: { type: 'number' } });
    expect(raw).toMatchObject({ input: {}, chunk: null });
    const [call] = methodsOf(fit);
    const validator = call && validatorFor(call);
    expect(validator?.input({ dose: [1, 2] })).toEqual([]);
    expect(validator?.input({ dose: [1, 'x'] })[0]?.path).toEqual(['dose', 1]);
    expect(validator?.output({ ec50: '1' })).toHaveLength(1);
  });

  it('refuses what is no definition', () => {
    const refused = (definition: object) => () => Reflect.apply(defineService, undefined, [definition]);
    expect(refused({ name: 'no name!', input: z.null(), output: z.null() })).toThrow('no name');
    expect(refused({ name: 'empty', methods: {} })).toThrow('no method');
    expect(refused({ name: 'none', input: {}, output: z.null() })).toThrow('no schema');
  });
});
