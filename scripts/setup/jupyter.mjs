// JupyterLab as a child of this process: started, waited for, stopped. Its token stands in no argument list and no
// environment, where other users or notebooks could read it: only in a file of this user, gone once Jupyter has read it.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { REPO, stateRoot, VENV, VENV_PYTHON } from '../lib/paths.mjs';
import { withoutNpm } from './npm-packages.mjs';
import { SetupError } from './progress.mjs';

const HOST = '127.0.0.1';
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 10_000;
const POLL_MS = 100;

/** The port itself where it is free, or a free one where none was asked for. */
export function freePort(wanted) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause) => {
      const inUse = cause.code === 'EADDRINUSE';
      reject(
        new SetupError(
          inUse ? `Port ${wanted} is in use by another program.` : `Port ${wanted} cannot be used: ${cause.message}.`,
          {
            hint: 'Name another one with --port, or leave it out for a free one.',
            cause,
          },
        ),
      );
    });
    server.listen(wanted ?? 0, HOST, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The environment of an activated virtual environment, so that `python` in a notebook's terminal is the notebook's. */
function activated(env) {
  const { PYTHONHOME: _, ...rest } = withoutNpm(env);
  return { ...rest, VIRTUAL_ENV: VENV, PATH: `${join(VENV, 'bin')}:${rest.PATH ?? ''}` };
}

function configuration({ port, token, baseUrl, workspace, browser }) {
  const canShow = process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  return {
    ServerApp: {
      ip: HOST,
      port,
      port_retries: 0,
      base_url: baseUrl,
      root_dir: workspace,
      open_browser: browser && Boolean(canShow),
      allow_root: process.getuid() === 0,
    },
    IdentityProvider: { token },
    // Nothing is asked of the internet, where a portal has none: no news, no updates, no catalogue of extensions.
    LabApp: {
      news_url: null,
      check_for_updates_class: 'jupyterlab.NeverCheckForUpdate',
      extension_manager: 'readonly',
    },
  };
}

/** A running JupyterLab. */
export class Jupyter {
  #child;
  #ended;

  constructor(child, { url, token, port, log }) {
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('exit', (status, signal) => resolve({ status, signal })));
    /** With the token: for the one line that tells it to the user. */
    this.url = `${url}lab?token=${token}`;
    this.baseUrl = url;
    this.token = token;
    this.port = port;
    this.log = log;
  }

  get pid() {
    return this.#child.pid;
  }

  /** Resolves when it has ended, however that came. */
  get ended() {
    return this.#ended;
  }

  /** Asks it to end, and after 10 s makes it. Its kernels end with it; what runs in pilots does not. */
  async stop() {
    const kill = (signal) => {
      if (this.#child.exitCode === null && this.#child.signalCode === null) process.kill(-this.#child.pid, signal);
    };
    kill('SIGTERM');
    const deadline = setTimeout(() => kill('SIGKILL'), STOP_LIMIT_MS);
    await this.#ended;
    clearTimeout(deadline);
  }
}

/**
 * Starts JupyterLab and resolves when it answers.
 * @param {{ port?: number, baseUrl: string, workspace: string, browser: boolean }} options
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function startJupyter(options, env = process.env) {
  const port = await freePort(options.port);
  const token = randomBytes(24).toString('hex');
  const folder = join(stateRoot(env), 'jupyter');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const configFile = join(folder, `server-${port}.json`);
  const log = join(folder, `server-${port}.log`);
  writeFileSync(configFile, JSON.stringify(configuration({ ...options, port, token })), { mode: 0o600 });
  const output = openSync(log, 'w', 0o600);
  // Its own session: Ctrl-C in the terminal reaches this process alone, which then stops Jupyter without a question.
  const child = spawn(
    VENV_PYTHON,
    [join(REPO, 'scripts', 'with-parent.py'), VENV_PYTHON, '-m', 'jupyterlab', `--config=${configFile}`],
    { cwd: options.workspace, env: activated(env), stdio: ['ignore', output, output], detached: true },
  );
  closeSync(output);
  const jupyter = new Jupyter(child, { url: `http://${HOST}:${port}${options.baseUrl}`, token, port, log });
  try {
    await answers(jupyter);
  } catch (error) {
    await jupyter.stop();
    throw error;
  } finally {
    rmSync(configFile, { force: true });
  }
  return jupyter;
}

async function answers(jupyter) {
  let ended;
  jupyter.ended.then((how) => {
    ended = how;
  });
  const deadline = performance.now() + START_LIMIT_MS;
  while (!(await isUp(jupyter))) {
    if (ended !== undefined || performance.now() > deadline) {
      const tail = readFileSync(jupyter.log, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
      throw new SetupError(
        `JupyterLab ${ended ? `ended at its start (exit ${ended.status ?? ended.signal})` : 'does not answer'}:\n${tail}`,
        { hint: `The whole log is ${jupyter.log}.` },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function isUp({ baseUrl, token }) {
  return new Promise((resolve) => {
    const probe = request(`${baseUrl}api/status`, { headers: { authorization: `token ${token}` }, timeout: 2000 });
    probe.on('response', (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probe.on('timeout', () => probe.destroy());
    // Refused until Jupyter listens: that is what is waited for.
    probe.on('error', () => resolve(false));
    probe.end();
  });
}
