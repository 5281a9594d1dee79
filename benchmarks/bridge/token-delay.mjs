// How long a token takes from the bridge's socket to the browser's WebSocket, beside the same bytes sent through a bare
// relay to an echo server in the same page at the same moment. All clocks are this host's.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '@pilothouse/sdk/node';
import { build } from 'rolldown';
import { NODE24 } from '../../scripts/lib/paths.mjs';
import { startBrowser, startJupyter } from '../lib/jupyter.mjs';
import { eventually } from '../lib/stack.mjs';
import { quantile, round } from '../lib/stats.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const TOKENS = 2000;
const RATE = 50;

/** A state root whose lease names the echo server, so that the product's own relay leads there. */
async function startEcho(stack) {
  const root = mkdtempSync(join(stack.root, 'echo-'));
  const [home, runtimeDir] = ['home', 'run'].map((name) => join(root, name));
  for (const folder of [home, runtimeDir, join(home, 'lease')]) mkdirSync(folder, { mode: 0o700 });
  const socket = join(runtimeDir, 'bridge.sock');
  const server = stack.spawn([NODE24, here('echo-server.mjs'), socket], { stdio: ['ignore', 'ignore', 'inherit'] });
  // The lease of the real bridge, with the echo server's socket in it.
  const real = readFileSync(join(stack.home, 'lease', '1'), 'utf8');
  const lease = { ...JSON.parse(real), host: hostname(), socket };
  writeFileSync(join(home, 'lease', '1'), JSON.stringify(lease), { mode: 0o600 });
  return { server, env: { PILOTHOUSE_HOME: home, PILOTHOUSE_RUNTIME_DIR: runtimeDir } };
}

/** The page's half: one SDK session over a WebSocket that notes when each frame came in, and one echo socket. */
async function pageScript() {
  const { output } = await build({
    input: here('page.mjs'),
    platform: 'browser',
    output: { format: 'iife', codeSplitting: false },
    write: false,
  });
  return output[0].code;
}

const summary = (samples) => ({
  p50: round(quantile(samples, 0.5)),
  p99: round(quantile(samples, 0.99)),
  samples: samples.length,
});

export async function tokenDelay(stack, repeats, say) {
  const session = await connect({ name: 'bench' });
  const pilot = await session.pilots.submit({ cores: 1, runtime: '1h' });
  const service = await session.services.start('paced', {
    command: [NODE24, here('paced-server.mjs'), '{port}', '{apiKeyFile}', String(RATE)],
    pilot,
  });
  await service.ready({ timeout: '60s' });
  const echo = await startEcho(stack);
  const jupyters = [await startJupyter(stack), await startJupyter(stack, echo.env)];
  const browser = await startBrowser();
  try {
    const [sdkUrl, echoUrl] = jupyters.map(
      ({ url, token }) => `${url.replace('http', 'ws')}/pilothouse/ws?token=${token}`,
    );
    const page = await browser.newPage();
    // A page of this host: browsers keep others, an empty one too, from addresses of the local network.
    await page.goto(`${jupyters[0].url}/login`);
    await page.addScriptTag({ content: await pageScript() });
    const results = [];
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const answer = service.chat('count', { maxTokens: TOKENS });
      await answer.until('STREAMING', { timeout: '30s' });
      const { delays, echoes } = await page.evaluate(({ sdk, echo: path, id }) => globalThis.measure(sdk, path, id), {
        sdk: sdkUrl,
        echo: echoUrl,
        id: answer.id,
      });
      if (delays.length < TOKENS * 0.9) throw new Error(`only ${delays.length} of ${TOKENS} tokens were timed`);
      results.push({ delay: summary(delays), echo: summary(echoes) });
      say(`token delay p99 ${results.at(-1).delay.p99} ms, relay echo p99 ${results.at(-1).echo.p99} ms`);
    }
    return results;
  } finally {
    await browser.close();
    for (const jupyter of jupyters) await jupyter.close();
    echo.server.kill('SIGTERM');
    await eventually(
      'the end of the echo server',
      () => echo.server.exitCode !== null || echo.server.signalCode !== null,
    );
    await session.close();
  }
}
