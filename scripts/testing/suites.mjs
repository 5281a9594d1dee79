// The suites of `npm test`: how each is run, and on which Node.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LOCAL, NODE24, REPO, VENV_PYTHON } from '../lib/paths.mjs';
import { runCaptured } from '../lib/processes.mjs';
import { junitCounts, none, playwrightCounts, vitestCounts, vitestFailed } from './counts.mjs';

const REPORTS = join(LOCAL, 'reports');
const reportOf = (name, suffix) => join(REPORTS, `${name}.${suffix}`);
/** How long a suite may take; what only `npm run test:full` does takes longer. */
const limitMs = () => (process.env.PILOTHOUSE_ROUNDS === undefined ? 20 : 90) * 60_000;

/** What was measured is reported by the runner itself; a runner that fails without a failed test counts as one. */
async function report(file, argv, { counts, cwd, env, onLine }) {
  mkdirSync(REPORTS, { recursive: true });
  rmSync(file, { force: true });
  const { status, output } = await runCaptured(argv(), {
    cwd,
    env: { ...process.env, ...env() },
    timeoutMs: limitMs(),
    onLine,
  });
  const found = counts(file) ?? none();
  if (status !== 0 && found.failed === 0) found.failed = 1;
  if (found.passed + found.failed === 0) return { counts: { ...found, failed: 1 }, output: `${output}\nNo test ran.` };
  return { counts: found, output };
}

const vitest = (folder, node) => {
  const suite = (file, chosen) =>
    report(
      file,
      () => [
        node,
        join(REPO, 'node_modules', 'vitest', 'vitest.mjs'),
        'run',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${file}`,
        ...chosen,
      ],
      { cwd: join(REPO, folder), counts: vitestCounts, env: () => ({ NO_COLOR: '1' }) },
    );
  return {
    run: (name) => suite(reportOf(name, 'json'), []),
    again: (name) => suite(reportOf(`${name}.again`, 'json'), vitestFailed(reportOf(name, 'json'))),
  };
};

const pytest = (folder) => {
  const suite = (file, chosen) =>
    report(file, () => [VENV_PYTHON, '-m', 'pytest', '-q', `--junitxml=${file}`, ...chosen, folder], {
      cwd: REPO,
      counts: junitCounts,
      env: () => ({}),
    });
  return {
    run: (name) => suite(reportOf(name, 'xml'), []),
    again: (name) => suite(reportOf(`${name}.again`, 'xml'), ['--last-failed']),
  };
};

const playwright = () => {
  const suite = (file, chosen, onLine) =>
    report(
      file,
      () => [
        process.execPath,
        join(REPO, 'ui-tests', 'node_modules', '@playwright', 'test', 'cli.js'),
        'test',
        ...chosen,
      ],
      {
        cwd: join(REPO, 'ui-tests'),
        counts: playwrightCounts,
        env: () => ({ PLAYWRIGHT_JSON_OUTPUT_NAME: file }),
        onLine,
      },
    );
  return {
    run: (name, onLine) => suite(reportOf(name, 'json'), [], onLine),
    again: (name, onLine) => suite(reportOf(`${name}.again`, 'json'), ['--last-failed'], onLine),
  };
};

/**
 * Every suite but `check`, which has its own counting. Bridge and agent run on the private Node, as the product does;
 * the SDK on the user's. `again` runs what has failed once more. `browser` needs the browser tests' own packages, and the machine for itself.
 */
export const suites = {
  sdk: vitest('sdk', process.execPath),
  bridge: vitest('kernels-bridge', NODE24),
  serving: vitest('serving', NODE24),
  agent: vitest('pilot-agent', NODE24),
  jupyterlab: vitest('jupyterlab-extension', process.execPath),
  scripts: vitest('scripts', process.execPath),
  python: pytest('jupyterlab-extension/tests'),
  kernels: pytest('tools/kernels/tests'),
  ui: { ...playwright(), browser: true },
};
