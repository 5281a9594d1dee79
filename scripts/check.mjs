// `npm run check`: Biome, strict TypeScript, the dependency rules, ruff and pyright. Every check runs, also after one
// has failed, so that one run shows everything there is to mend.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NODE24, REPO, VENV } from './lib/paths.mjs';
import { runCaptured } from './lib/processes.mjs';

const venvTool = (name) => join(VENV, 'bin', name);
const nodeTool = (path, ...args) => [process.execPath, join(REPO, 'node_modules', path), ...args];

const packages = ['sdk', 'serving', 'kernels-bridge', 'pilot-agent', 'jupyterlab-extension'];
const sources = [...packages.flatMap((name) => [join(name, 'src'), join(name, 'test')]), 'scripts', 'benchmarks'];

/** The checks in the order that finds the cheapest mistakes first. */
export const checks = [
  { name: 'biome', argv: nodeTool('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.') },
  { name: 'typescript', argv: nodeTool('typescript/bin/tsc', '-b') },
  { name: 'typescript (tests)', argv: nodeTool('typescript/bin/tsc', '-p', 'tsconfig.tests.json') },
  { name: 'typescript (panel tests)', argv: nodeTool('typescript/bin/tsc', '-p', 'jupyterlab-extension/test') },
  {
    name: 'typescript (ui-tests)',
    argv: nodeTool('typescript/bin/tsc', '-p', 'ui-tests'),
    needs: join(REPO, 'ui-tests', 'node_modules'),
    remedy: '`npm test -- check` installs it',
  },
  {
    name: 'dependency rules',
    // On the private Node: it alone knows every module that bridge and agent may import from Node itself.
    argv: [
      NODE24,
      join(REPO, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs'),
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'err-long',
      ...sources,
    ],
  },
  { name: 'ruff', argv: [venvTool('ruff'), 'check', '.'], needs: venvTool('ruff'), remedy: pythonRemedy() },
  {
    name: 'ruff format',
    argv: [venvTool('ruff'), 'format', '--check', '.'],
    needs: venvTool('ruff'),
    remedy: pythonRemedy(),
  },
  { name: 'pyright', argv: nodeTool('pyright/index.js'), needs: venvTool('pytest'), remedy: pythonRemedy() },
];

function pythonRemedy() {
  return '`npm test -- check` installs it into .pilothouse/venv';
}

/** Runs the checks and returns `{ passed, failed }`; prints what a failing one said. */
export async function runChecks(print = console.log) {
  const count = { passed: 0, failed: 0 };
  for (const { name, argv, needs, remedy } of checks) {
    if (needs && !existsSync(needs)) {
      print(`✗ ${name}: not installed; ${remedy}`);
      count.failed += 1;
      continue;
    }
    const started = performance.now();
    const { status, output } = await runCaptured(argv, { cwd: REPO });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    print(`${status === 0 ? '✓' : '✗'} ${name} (${seconds} s)`);
    if (status !== 0) print(output.trimEnd());
    count[status === 0 ? 'passed' : 'failed'] += 1;
  }
  return count;
}

if (process.argv[1] === import.meta.filename) {
  const { passed, failed } = await runChecks();
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
