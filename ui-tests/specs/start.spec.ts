import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { REPO } from '../../scripts/lib/paths.mjs';
import { runCaptured } from '../../scripts/lib/processes.mjs';
import { expect, test } from '../src/fixtures.js';
import { until } from '../src/until.js';

test.describe('npm start', () => {
  test('prints one address, and makes a workspace with the examples', ({ ownStack }) => {
    expect(ownStack.output.match(/^Pilothouse is ready: /gm)).toHaveLength(1);
    for (const kernel of ['python', 'tslab', 'deno']) {
      expect(existsSync(join(ownStack.workspace, `first-light-${kernel}.ipynb`))).toBe(true);
    }
    for (const kernel of ['python', 'tslab']) {
      expect(existsSync(join(ownStack.workspace, `tasks-${kernel}.ipynb`))).toBe(true);
    }
    expect(existsSync(join(ownStack.workspace, 'node_modules', '@pilothouse', 'sdk', 'lib', 'index.js'))).toBe(true);
  });

  test('keeps its token out of arguments, environments and logs', ({ ownStack }) => {
    const { token } = ownStack;
    expect(token).toMatch(/^[0-9a-f]{48}$/);
    const jupyter = ownStack.find(/-m jupyterlab/);
    expect(jupyter).toHaveLength(1);
    for (const { pid, command } of ownStack.processes()) {
      expect(command).not.toContain(token);
      expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).not.toContain(token);
    }
    const folder = join(ownStack.home, 'jupyter');
    const port = ownStack.url.port;
    expect(existsSync(join(folder, `server-${port}.json`)), 'the file that held the token').toBe(false);
    const log = join(folder, `server-${port}.log`);
    expect(readFileSync(log, 'utf8')).not.toContain(token);
    expect(statSync(log).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('names a port that is in use, and what to do', async ({ ownStack }) => {
    const { status, output } = await runCaptured(
      [process.execPath, join(REPO, 'scripts', 'start.mjs'), '--no-browser', '--port', ownStack.url.port],
      { env: ownStack.env, cwd: REPO, timeoutMs: 60_000 },
    );
    expect(status).toBe(1);
    expect(output).toContain(`Port ${ownStack.url.port} is in use`);
    expect(output).toContain('--port');
  });

  test('started again, neither overwrites nor brings back examples', async ({ ownStack }) => {
    ownStack.write('first-light-python.ipynb', 'mine');
    rmSync(join(ownStack.workspace, 'first-light-deno.ipynb'));
    await ownStack.restartLab();
    expect(ownStack.read('first-light-python.ipynb')).toBe('mine');
    expect(existsSync(join(ownStack.workspace, 'first-light-deno.ipynb'))).toBe(false);
  });

  test('says at Ctrl-C what still runs, until when, and how to end it; the pilot goes on', async ({ ownStack }) => {
    // Any request through the server extension or the command line starts the bridge; this one asks for nothing more.
    await ownStack.pilothouse('pilots');
    const pilot = await ownStack.api.ensurePilot('demo', { cores: 1, runtime: '1h' });
    await until(async () => (await ownStack.api.pilot(pilot.id)).state === 'ACTIVE', 'the pilot to be active');
    await ownStack.stopLab();
    expect(ownStack.find(/-m jupyterlab/)).toEqual([]);
    expect(ownStack.output).toContain('JupyterLab has stopped.');
    expect(ownStack.output).toMatch(/1 pilot still runs/);
    expect(ownStack.output).toMatch(/demo {2}ACTIVE {2}ends by itself at \d\d:\d\d, in \d+ min/);
    expect(ownStack.output).toContain('npx pilothouse end --all');
    expect((await ownStack.api.pilot(pilot.id)).state).toBe('ACTIVE');
  });

  test('says at Ctrl-C that nothing runs where nothing does', async ({ ownStack }) => {
    await ownStack.stopLab();
    expect(ownStack.output).toContain('Nothing of Pilothouse runs any more.');
  });

  test('killed, leaves no JupyterLab behind', async ({ ownStack }) => {
    ownStack.killStart();
    await until(() => ownStack.find(/-m jupyterlab/).length === 0, 'JupyterLab to end');
  });
});
