// The table of tasks with 100,000 rows and 2,000 changes of state a second: work of the main thread per frame, measured
// in a real JupyterLab in a real browser. What changes is made up in the page, and its cost counts too.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { startBrowser, startJupyter } from '../lib/jupyter.mjs';
import { createStack } from '../lib/stack.mjs';
import { median, quantile, round } from '../lib/stats.mjs';
import { workPerFrame } from './frames.mjs';

const REPEATS = 5;
const ROWS = 100_000;
const CHANGES_PER_SECOND = 2000;
const SECONDS = 10;
const CATEGORIES = ['toplevel', 'disabled-by-default-devtools.timeline', '__metadata'];

/** The page's half. */
export async function pageScript() {
  const { output } = await build({
    input: fileURLToPath(new URL('page.mjs', import.meta.url)),
    platform: 'browser',
    output: { format: 'iife', codeSplitting: false },
    write: false,
  });
  return output[0].code;
}

/** JupyterLab as it is after a first start: nobody's settings, no layout of before. */
export function startLab(stack) {
  const folder = (name) => join(stack.root, name);
  return startJupyter(
    stack,
    { JUPYTER_CONFIG_DIR: folder('config'), JUPYTER_DATA_DIR: folder('data'), JUPYTER_RUNTIME_DIR: folder('jupyter') },
    ['--LabApp.expose_app_in_browser=True'],
  );
}

/** Opens JupyterLab in a page where the table can be filled. */
export async function openPage(browser, jupyter) {
  const page = await browser.newPage({ locale: 'en-US', viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(120_000);
  // Without the layout of the page before: its table would have been filled by somebody else.
  await page.goto(`${jupyter.url}/lab?reset&token=${jupyter.token}`);
  await page.waitForFunction(() => globalThis.jupyterapp?.commands.hasCommand('pilothouse:open-tasks'));
  await page.locator('#jupyterlab-splash').waitFor({ state: 'detached' });
  await page.addScriptTag({ content: await pageScript() });
  return page;
}

/** Records what the browser does for some seconds. */
async function record(page, seconds) {
  const client = await page.context().newCDPSession(page);
  const events = [];
  client.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  const complete = new Promise((resolve) => client.once('Tracing.tracingComplete', resolve));
  await client.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: CATEGORIES, recordMode: 'recordAsMuchAsPossible' },
  });
  await page.waitForTimeout(seconds * 1000);
  await client.send('Tracing.end');
  await complete;
  await client.detach();
  return events;
}

/**
 * @param stack - gives JupyterLab its folders; needs no bridge
 * @returns `table_frame_ms`: p95 of the main thread's work per frame, median of the repeats; the repeats are in `spread`
 */
export async function tableFrames(stack, repeats, say) {
  const jupyter = await startLab(stack);
  const browser = await startBrowser();
  try {
    const samples = [];
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      const page = await openPage(browser, jupyter);
      await page.evaluate(([rows, changes]) => globalThis.openTable(rows, changes), [ROWS, CHANGES_PER_SECOND]);
      await page.getByRole('grid', { name: 'Tasks' }).waitFor();
      await page.getByText(`${ROWS.toLocaleString('en-US')} tasks`, { exact: true }).waitFor();
      const frames = workPerFrame(await record(page, SECONDS));
      samples.push(round(quantile(frames, 0.95)));
      say(
        `table: p95 ${samples.at(-1)} ms, p99 ${round(quantile(frames, 0.99))} ms, most ${round(Math.max(...frames))} ms, ` +
          `${frames.length} frames with work`,
      );
      await page.close();
    }
    return { table_frame_ms: median(samples), spread: { table_frame_ms: samples } };
  } finally {
    await browser.close();
    await jupyter.close();
  }
}

/** The bench by itself, with folders of its own. */
export async function table(say) {
  const stack = createStack();
  try {
    return await tableFrames(stack, REPEATS, say);
  } finally {
    await stack.close();
  }
}
