// The suites of `npm test`: how each is run, and on which Node.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LOCAL, NODE24, REPO, VENV_PYTHON } from '../lib/paths.mjs';
import { runCaptured } from '../lib/processes.mjs';
import { junitCounts, none, playwrightCounts, vitestCounts } from './counts.mjs';

const REPORTS = join(LOCAL, 'reports');
/** How long a suite may take; what only `npm run test:full` does takes longer. */
const limitMs = () => (process.env.PILOTHOUSE_ROUNDS === undefined ? 20 : 90) * 60_000;

/** What was measured is reported by the runner itself; a runner that fails without a failed test counts as one. */
async function report(name, suffix, argv, { counts, cwd, env = {}, onLine }) {
  mkdirSync(REPORTS, { recursive: true });
  const file = join(REPORTS, `${name}.${suffix}`);
  rmSync(file, { force: true });
  const { status, output } = await runCaptured(argv(file), {
    cwd,
    env: { ...process.env, ...env(file) },
    timeoutMs: limitMs(),
    onLine,
  });
  const found = counts(file) ?? none();
  if (status !== 0 && found.failed === 0) found.failed = 1;
  if (found.passed + found.failed === 0) return { counts: { ...found, failed: 1 }, output: `${output}\nNo test ran.` };
  return { counts: found, output };
}

const vitest = (folder, node) => (name) =>
  report(
    name,
    'json',
    (file) => [
      node,
      join(REPO, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ],
    { cwd: join(REPO, folder), counts: vitestCounts, env: () => ({ NO_COLOR: '1' }) },
  );

const pytest = (folder) => (name) =>
  report(name, 'xml', (file) => [VENV_PYTHON, '-m', 'pytest', '-q', `--junitxml=${file}`, folder], {
    cwd: REPO,
    counts: junitCounts,
    env: () => ({}),
  });

const playwright = () => (name, onLine) =>
  report(
    name,
    'json',
    () => [process.execPath, join(REPO, 'ui-tests', 'node_modules', '@playwright', 'test', 'cli.js'), 'test'],
    {
      cwd: join(REPO, 'ui-tests'),
      counts: playwrightCounts,
      env: (file) => ({ PLAYWRIGHT_JSON_OUTPUT_NAME: file }),
      onLine,
    },
  );

/**
 * Every suite but `check`, which has its own counting. Bridge and agent run on the private Node, as the product does;
 * the SDK on the user's. `browser` needs the browser tests' own packages, and the machine for itself.
 */
export const suites = {
  sdk: { run: vitest('sdk', process.execPath) },
  bridge: { run: vitest('kernels-bridge', NODE24) },
  serving: { run: vitest('serving', NODE24) },
  agent: { run: vitest('pilot-agent', NODE24) },
  jupyterlab: { run: vitest('jupyterlab-extension', process.execPath) },
  scripts: { run: vitest('scripts', process.execPath) },
  python: { run: pytest('jupyterlab-extension/tests') },
  kernels: { run: pytest('tools/kernels/tests') },
  ui: { run: playwright(), browser: true },
};
