// Sends bursts, whether or not the ones before have been answered: bursts.mjs '{"socket" | "port", "model", "bursts", "size",
// "every"}'. Says milliseconds and the rate of answers.
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';

const { socket, port, model, bursts, size, every } = JSON.parse(process.argv[2]);
const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] });
const pool = new Pool(socket === undefined ? `http://127.0.0.1:${port}` : 'http://localhost', {
  connections: 1024,
  pipelining: 1,
  ...(socket === undefined ? {} : { connect: { socketPath: socket } }),
});
const took = [];

async function ask() {
  const start = performance.now();
  const headers = { 'content-type': 'application/json' };
  const answer = await pool.request({ path: '/v1/chat/completions', method: 'POST', headers, body });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}`);
  took.push(performance.now() - start);
}

await ask();
took.length = 0;
console.log('ready');
await new Promise((resolve) => createInterface({ input: process.stdin }).once('line', resolve));
const start = performance.now();
const all = [];
for (let burst = 0; burst < bursts; burst += 1) {
  for (let one = 0; one < size; one += 1) all.push(ask());
  await delay(Math.max(0, start + (burst + 1) * every - performance.now()));
}
await Promise.all(all);
const seconds = (performance.now() - start) / 1000;
const sorted = Float64Array.from(took).sort();
const at = (share) => sorted[Math.ceil(share * sorted.length) - 1];
console.log(JSON.stringify({ p50: at(0.5), p99: at(0.99), per_s: took.length / seconds }));
process.exit();
