// Asks for chats: http-client.mjs '{"socket" | "port", "clients", "requests", "stream"}'. Waits for a line, then says
// how many milliseconds requests took, or how late tokens came.
import { createInterface } from 'node:readline';
import { Pool } from 'undici';

const { socket, port, clients, requests, stream = false } = JSON.parse(process.argv[2]);
const BODY = JSON.stringify({
  model: 'noop',
  messages: [{ role: 'user', content: 'Nothing to do, whoever reads this.'.repeat(8) }],
  ...(stream ? { stream: true } : {}),
});
const pool = new Pool(socket === undefined ? `http://127.0.0.1:${port}` : 'http://localhost', {
  connections: clients,
  pipelining: 1,
  ...(socket === undefined ? {} : { connect: { socketPath: socket } }),
});
const ASK = { path: '/v1/chat/completions', method: 'POST', headers: ['content-type', 'application/json'], body: BODY };

function ask(onData) {
  return new Promise((resolve, reject) => {
    let code = 0;
    pool.dispatch(ASK, {
      onRequestStart() {},
      onResponseStart(_controller, status) {
        code = status;
      },
      onResponseData(_controller, chunk) {
        onData?.(chunk);
      },
      onResponseEnd() {
        if (code === 200) resolve();
        else reject(new Error(`answered ${code}`));
      },
      onResponseError(_controller, error) {
        reject(error);
      },
    });
  });
}

async function load(count) {
  const took = [];
  const client = async () => {
    for (let left = Math.ceil(count / clients); left > 0; left -= 1) {
      const start = performance.now();
      await ask();
      took.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  return { ...quantiles(took), per_s: took.length / ((performance.now() - start) / 1000) };
}

function quantiles(samples) {
  const sorted = Float64Array.from(samples).sort();
  const at = (share) => sorted[Math.ceil(share * sorted.length) - 1];
  return { p50: at(0.5), p99: at(0.99) };
}

/** How late each token came, in milliseconds after it was sent. */
async function late() {
  const delays = [];
  const client = () =>
    ask((chunk) => {
      const now = performance.timeOrigin + performance.now();
      for (const [, sent] of chunk.toString().matchAll(/"sent":([\d.]+)/g)) delays.push(now - Number(sent));
    });
  await Promise.all(Array.from({ length: clients }, client));
  return quantiles(delays);
}

if (!stream) await load(Math.min(requests, 2000));
console.log('ready');
await new Promise((resolve) => createInterface({ input: process.stdin }).once('line', resolve));
const result = stream ? await late() : await load(requests);
console.log(JSON.stringify(result));
process.exit();
