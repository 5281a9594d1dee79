import { chmodSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { run, runCaptured } from '../../scripts/lib/processes.mjs';
import { demoService } from '../src/demo.js';
import { expect, test } from '../src/fixtures.js';
import { LlamaServer } from '../src/llama-server.js';
import { notebook } from '../src/notebook-file.js';
import type { Stack } from '../src/stack.js';

const NOBODY = '65534';

test('nothing of Pilothouse listens on TCP but the service and the router of its pilot, on loopback and with a key', async ({
  stack,
  openLab,
}) => {
  await openLab(stack);
  const service = await demoService(stack);
  const server = new LlamaServer(service);
  const listening = await listeners(stack);
  expect(listening.filter(({ command }) => /kernels-bridge|warden\.py/.test(command))).toEqual([]);
  const [pilot] = await stack.api.pilots();
  if (!pilot?.gateway) throw new Error('the pilot has no router');
  const { gateway } = pilot;
  const routers = listening.filter(({ command }) => /pilot-agent/.test(command));
  expect(routers.map(({ address }) => `http://${address}`)).toEqual([gateway.url]);
  expect(gateway.url).toContain('127.0.0.1');
  expect((await fetch(`${gateway.url}/v1/models`)).status, 'the router without a key').toBe(401);
  expect(statSync(gateway.keyFile).mode & 0o777).toBe(0o600);
  const ours = listening.filter(({ command }) => /llama-server/.test(command));
  expect(ours.map(({ address }) => address)).toEqual([`127.0.0.1:${server.port}`]);
  const ask = (headers: Readonly<Record<string, string>>) =>
    fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers, body: '{"messages": []}' });
  expect((await ask({})).status, 'without a key').toBe(401);
  expect((await ask({ authorization: 'Bearer wrong' })).status, 'with a wrong key').toBe(401);
  expect(statSync(service.instances[0]?.endpoint?.keyFile ?? '').mode & 0o777).toBe(0o600);
  // The key stands in no argument list and in nothing that the bridge tells.
  expect(stack.listing()).not.toContain(server.key);
  expect(JSON.stringify(await stack.api.services(true))).not.toContain(server.key);
});

test("a task has the notebook's PATH and folder, and nothing of Jupyter or of keys", async ({ stack, openLab }) => {
  stack.makeFolder('deep');
  const submit = `import os, pilothouse as ph
os.environ["OPENAI_API_KEY"] = "not-for-tasks"
os.environ["PATH"] = os.environ["PATH"] + ":/of-the-notebook"
s = ph.connect()
s.pilots.ensure("demo", cores=2, runtime="1h")
t = s.tasks.submit(["python", "-c", "import json, os; print(json.dumps([os.getcwd(), dict(os.environ)]))"])
t.done()
print("PATH=" + os.environ["PATH"])`;
  stack.write('deep/environment.ipynb', notebook('python3', [submit]));
  const lab = await openLab(stack, 'deep/environment.ipynb');
  await lab.runCell(0);
  await lab.cellDone(0);
  const path = /PATH=(\S+)/.exec(await lab.output(0).innerText())?.[1] ?? '';
  const [task] = (await stack.api.tasks()).toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
  expect(task).toMatchObject({ state: 'DONE', exitCode: 0 });
  const [cwd, env] = parseReport(await stack.api.call('tasks/log', { ref: task?.id, stream: 'stdout' }));
  expect(cwd).toBe(join(stack.workspace, 'deep'));
  expect(path).toContain('/of-the-notebook');
  expect(env.PATH).toBe(path);
  expect(Object.keys(env).filter((name) => /^(JUPYTER|JPY)|KEY|TOKEN|SECRET/.test(name))).toEqual([]);
  expect(Object.values(env).join('\n')).not.toContain(stack.token);
});

test('another user is told that permission is denied', async ({ stack, openLab }) => {
  test.skip(process.getuid?.() !== 0, 'only root can become another user');
  await openLab(stack);
  await expect.poll(() => stack.api.answers(), { timeout: 30_000 }).toBe(true);
  expect(statSync(stack.runtime).mode & 0o777).toBe(0o700);
  expect(statSync(stack.api.socket).mode & 0o777).toBe(0o600);
  // Everything around it may be entered, so that what refuses is Pilothouse's own folder.
  const around = dirname(stack.runtime);
  chmodSync(around, 0o711);
  try {
    const socket = `import socket; socket.socket(socket.AF_UNIX).connect(${JSON.stringify(stack.api.socket)})`;
    const { status, output } = await asNobody(['/usr/bin/python3', '-I', '-c', socket]);
    expect(status).not.toBe(0);
    expect(output).toContain('PermissionError: [Errno 13] Permission denied');
  } finally {
    chmodSync(around, 0o700);
  }
});

test('the relay wants a login and its own origin', async ({ stack, page, openLab }) => {
  await openLab(stack);
  expect(await upgradeStatus(stack, {})).toBe(403);
  const cookies = await page.context().cookies(stack.baseUrl);
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  expect(await upgradeStatus(stack, { cookie, origin: 'http://elsewhere.example' })).toBe(403);
  expect(await upgradeStatus(stack, { cookie, origin: new URL(stack.baseUrl).origin })).toBe(101);
});

/** What the stack's processes listen on, as `ss -ltnp` tells. */
async function listeners(stack: Stack): Promise<{ address: string; command: string }[]> {
  const lines = (await run(['ss', '-Hltnp'])).split('\n');
  const commands = new Map(stack.processes().map(({ pid, command }) => [pid, command]));
  return lines.flatMap((line) => {
    const address = line.trim().split(/\s+/)[3] ?? '';
    return [...line.matchAll(/pid=(\d+)/g)].flatMap(([, pid]) => {
      const command = commands.get(Number(pid));
      return command === undefined ? [] : [{ address, command }];
    });
  });
}

function parseReport(log: unknown): [cwd: unknown, env: Record<string, string>] {
  if (typeof log !== 'object' || log === null || !('text' in log)) throw new Error('tasks/log gave no text');
  const report: unknown = JSON.parse(String(log.text));
  if (!Array.isArray(report)) throw new Error(`The task printed ${String(log.text)}`);
  return [report[0], report[1]];
}

function asNobody(argv: string[]) {
  return runCaptured(['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...argv], { cwd: '/' });
}

/** What the relay answers to a WebSocket handshake. */
function upgradeStatus(stack: Stack, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(`${stack.baseUrl}pilothouse/ws`, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    });
    call.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    call.on('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on('error', reject);
    call.end();
  });
}
