// A service of one's own that gives back what it gets; says how it is reached, and ends with its input.
import { defineService, serve } from '@pilothouse/sdk/service';
import { z } from 'zod';

const noop = defineService({ name: 'noop', input: z.unknown(), output: z.unknown() });
const { address, serverKey, keyFile } = await serve(noop, { announce: false, handler: (value) => value });
console.log(JSON.stringify({ address, serverKey, keyFile }));
process.stdin.resume().on('end', () => process.exit());
