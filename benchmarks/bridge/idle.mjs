// What the bridge uses while nothing happens: one active pilot, one ready service, one open panel.
import { fileURLToPath } from 'node:url';
import { connect } from '@pilothouse/sdk/node';
import { NODE24 } from '../../scripts/lib/paths.mjs';
import { startBrowser, startJupyter } from '../lib/jupyter.mjs';
import { cpuSeconds, rssMib } from '../lib/proc.mjs';

const SERVER = fileURLToPath(new URL('paced-server.mjs', import.meta.url));

export async function idle(stack, seconds) {
  const session = await connect({ name: 'bench' });
  const pilot = await session.pilots.submit({ cores: 1, runtime: '1h' });
  const service = await session.services.start('paced', {
    command: [NODE24, SERVER, '{port}', '{apiKeyFile}', '50'],
    pilot,
  });
  await service.ready({ timeout: '60s' });
  await session.close();
  const jupyter = await startJupyter(stack);
  const browser = await startBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(`${jupyter.url}/lab?token=${jupyter.token}`);
    const panel = page.getByRole('region', { name: 'Pilothouse', exact: true });
    await page.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
    // A layout that was restored may have it open already; a click would then close it.
    if (!(await panel.isVisible())) await page.getByRole('tab', { name: 'Pilothouse', exact: true }).click();
    await panel.getByText('paced').waitFor();
    const pids = {
      bridge: stack.pid('kernels-bridge/lib/main.js'),
      agent: stack.pid('pilot-agent/lib/main.js', 'warden.py'),
      warden: stack.pid('warden.py'),
    };
    const used = () => Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuSeconds(pid)]));
    // Opening the page is work; idle starts once it has settled.
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const before = used();
    const start = performance.now();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const elapsed = (performance.now() - start) / 1000;
    const after = used();
    return Object.fromEntries(
      Object.entries(pids).map(([name, pid]) => [
        name,
        { cpuPercent: (100 * (after[name] - before[name])) / elapsed, rssMib: rssMib(pid) },
      ]),
    );
  } finally {
    await browser.close();
    await jupyter.close();
  }
}
