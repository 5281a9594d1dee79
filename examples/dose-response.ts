// A service of one's own in TypeScript: fits a Hill curve. Start it by hand with `node dose-response.ts` (Node 22.18 or
// later), or let Pilothouse start it: docs/guide/own-service.md says how.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineService, serve } from '@pilothouse/sdk/service';
import { z } from 'zod';

/** Both ends import it: whoever serves, and whoever calls. */
export const doseResponse = defineService({
  name: 'dose-response',
  methods: {
    fit: {
      description: 'Fits response = 1 / (1 + (ec50 / dose) ^ hill).',
      input: z.object({ dose: z.array(z.number().positive()).min(2), response: z.array(z.number().gt(0).lt(1)) }),
      output: z.object({ ec50: z.number(), hill: z.number() }),
    },
    curve: {
      description: 'The curve, one point after the other.',
      input: z.object({ ec50: z.number(), hill: z.number(), points: z.int().min(1).max(100_000).default(50) }),
      chunk: z.object({ dose: z.number(), response: z.number() }),
      output: z.object({ points: z.int() }),
    },
  },
});

/** Least squares of the logit of the response over the logarithm of the dose: a straight line there. */
function hillCurve(dose: readonly number[], response: readonly number[]): { ec50: number; hill: number } {
  if (dose.length !== response.length) throw new RangeError(`${dose.length} doses, ${response.length} responses`);
  const x = dose.map((one) => Math.log(one));
  const y = response.map((one) => Math.log(one / (1 - one)));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  const hill =
    mean(x.map((one, index) => (one - meanX) * ((y[index] ?? 0) - meanY))) / mean(x.map((one) => (one - meanX) ** 2));
  return { ec50: Math.exp(meanX - meanY / hill), hill };
}

// Served where this file is the program; whoever imports it wants the definition alone.
if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await serve(doseResponse, {
    concurrency: 4,
    handlers: {
      fit: ({ dose, response }) => hillCurve(dose, response),
      async *curve({ ec50, hill, points }, { signal }) {
        for (let point = 1; point <= points; point += 1) {
          signal.throwIfAborted();
          const dose = (ec50 * 2 * point) / points;
          yield { dose, response: 1 / (1 + (ec50 / dose) ** hill) };
        }
        return { points };
      },
    },
  });
}
