// What a notebook does: asks a service many things, and waits. It is killed while it waits.
// Use: node kernel.mjs COUNT OUT
import { connect } from '@pilothouse/sdk/node';

const [count, out] = process.argv.slice(2);
const session = await connect({ name: 'kernel.ipynb' });
const llm = await session.services.get('echo');
await llm.ready({ timeout: '1m' });
const prompts = Array.from({ length: Number(count) }, (_, id) => ({ id, prompt: `prompt ${id}` }));
const batch = await llm.map(prompts, { out, key: 'id' });
process.stdout.write(`${batch.id}\n`);
await batch.results();
