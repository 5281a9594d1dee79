// A real JupyterLab with the Pilothouse extension, and a real browser.

import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { launchOptions } from '../../scripts/lib/chromium.mjs';
import { REPO, VENV_PYTHON } from '../../scripts/lib/paths.mjs';
import { eventually } from './stack.mjs';

/** A port on loopback that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts JupyterLab for a stack; the token travels in the environment. */
export async function startJupyter(stack, extraEnv = {}, extraOptions = []) {
  const port = await freePort();
  const token = randomBytes(24).toString('hex');
  const child = stack.spawn(
    [
      VENV_PYTHON,
      '-m',
      'jupyterlab',
      '--no-browser',
      '--allow-root',
      '--ip=127.0.0.1',
      `--port=${port}`,
      '--ServerApp.port_retries=0',
      // The page stands for two JupyterLabs at once, so it belongs to neither.
      '--ServerApp.allow_origin=*',
      `--ServerApp.root_dir=${stack.workspace}`,
      ...extraOptions,
    ],
    { env: { ...stack.env, JUPYTER_TOKEN: token, ...extraEnv } },
  );
  const url = `http://127.0.0.1:${port}`;
  await eventually('the start of JupyterLab', async () => {
    if (child.exitCode !== null) throw new Error(`JupyterLab ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/api/status?token=${token}`).catch((error) => {
      if (error.cause?.code === 'ECONNREFUSED') return null;
      throw error;
    });
    return answer?.ok;
  });
  return {
    url,
    token,
    async close() {
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** The system's Chromium, driven by the browser tests' Playwright. */
export async function startBrowser() {
  const require = createRequire(join(REPO, 'ui-tests', 'package.json'));
  const { chromium } = require('@playwright/test');
  return chromium.launch(launchOptions());
}
