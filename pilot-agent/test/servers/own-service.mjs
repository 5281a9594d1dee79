// A service of our own: adds one, and takes as long as it is told.
import { defineService, serve } from '@pilothouse/sdk/service';
import { z } from 'zod';

const plusOne = defineService({ name: 'own', input: z.object({ x: z.number() }), output: z.object({ y: z.number() }) });
await serve(plusOne, { handler: async ({ x }) => ({ y: x + 1 }) });
