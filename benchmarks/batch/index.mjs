// Rows per second of a batch beside those of a client that does nothing but keep the same llama-server full.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { connect } from '@pilothouse/sdk/node';
import { createStack } from '../lib/stack.mjs';
import { median, round } from '../lib/stats.mjs';
import { saturate } from './saturating-client.mjs';

const REPEATS = 5;
/** About so many seconds each run takes: rows are as many as the bare client gets done in that time. */
const SECONDS = 12;
const ROWS = { least: 24, most: 2000 };
/** Requests under way of the bare client; the best of them counts. */
const CONCURRENCIES = [1, 2, 4, 8, 16];
/** Every answer has as many tokens, and none profits from what was asked before. */
const OPTIONS = { maxTokens: 16, temperature: 0, seed: 1, extra: { ignore_eos: true, cache_prompt: false } };

let salt = 0;
/** Prompts that have not been asked yet, of one length. */
function prompts(count) {
  salt += 1;
  return Array.from({ length: count }, (_, row) => {
    const number = String(salt * 1000 + row).padStart(6, '0');
    return `Sample ${number}: name one gene that answers to ionizing radiation, and say what it does.`;
  });
}

export async function batch(say) {
  const stack = createStack();
  process.env.PILOTHOUSE_HOME = stack.home;
  process.env.PILOTHOUSE_RUNTIME_DIR = stack.runtimeDir;
  process.chdir(stack.workspace);
  try {
    const session = await connect({ name: 'bench' });
    // One is left to those who ask, whoever that is: the limit here is the server's.
    const cores = Math.max(1, availableParallelism() - 1);
    const pilot = await session.pilots.submit({ cores, runtime: '2h' });
    const llm = await session.services.start('smollm2', { resources: { cores }, pilot });
    await llm.ready({ timeout: '2m' });
    const [instance] = llm.record.instances;
    const client = (concurrency, count) =>
      saturate(instance.endpoint, { concurrency, prompts: prompts(count), ...OPTIONS });
    // The first answers of a server are slower than all that follow.
    await client(2, 4);
    const rate = await client(2, 12);
    const rows = Math.min(ROWS.most, Math.max(ROWS.least, Math.round(rate * SECONDS)));
    say(`${rows} rows a run, at about ${rate.toFixed(1)} a second`);
    const tried = new Map();
    for (const concurrency of CONCURRENCIES) tried.set(concurrency, await client(concurrency, rows));
    say(`bare client: ${[...tried].map(([n, rate]) => `${n}: ${rate.toFixed(1)}/s`).join(', ')}`);
    const [best] = [...tried].sort((a, b) => b[1] - a[1])[0];
    const runs = [];
    for (let repeat = 0; repeat < REPEATS; repeat += 1) {
      // In turn first and second, so that a machine that gets slower or faster favours neither.
      const first = repeat % 2 === 0 ? await client(best, rows) : undefined;
      const own = await mapped(llm, prompts(rows), join(stack.workspace, `out-${repeat}.jsonl`));
      const server = first ?? (await client(best, rows));
      runs.push({ rows: own, server });
      say(`batch ${own.toFixed(2)} rows/s, bare client ${server.toFixed(2)} rows/s`);
    }
    await pilot.end();
    await pilot.done({ timeout: '1m' });
    await session.close();
    return {
      rows_per_s: round(median(runs.map(({ rows }) => rows))),
      server_rows_per_s: round(median(runs.map(({ server }) => server))),
      ratio: round(median(runs.map(({ rows, server }) => rows / server))),
      concurrency: best,
      spread: {
        rows_per_s: runs.map(({ rows }) => round(rows)),
        server_rows_per_s: runs.map(({ server }) => round(server)),
      },
    };
  } finally {
    await stack.close();
  }
}

/** Rows per second from the call in the notebook until the last row is on the disk. */
async function mapped(llm, rows, out) {
  const start = performance.now();
  const made = await llm.map(rows, { out, ...OPTIONS });
  await made.done({ timeout: '30m' });
  const seconds = (performance.now() - start) / 1000;
  const { state, progress } = made.record;
  if (state !== 'DONE' || progress.done !== rows.length) {
    throw new Error(`the batch is ${state} with ${JSON.stringify(progress)}`);
  }
  if (progress.tokens !== rows.length * OPTIONS.maxTokens) throw new Error(`${progress.tokens} tokens were made`);
  return rows.length / seconds;
}
