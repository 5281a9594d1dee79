import type { Locator } from '@playwright/test';
import { expect, test } from '../src/fixtures.js';
import type { Lab } from '../src/lab.js';
import { notebook } from '../src/notebook-file.js';
import { pageOf, Sidebar } from '../src/sidebar.js';

const ROWS = 240;
/** Every fortieth fails. */
const commandOf = (n: number): string[] =>
  n % 40 === 39 ? ['bash', '-c', 'echo "index not found" >&2; exit 3'] : ['true'];

test('tasks: from the form to its page, many in the table, who ran where, a set in a cell', async ({
  ownStack,
  openLab,
}) => {
  test.setTimeout(240_000);
  const { api } = ownStack;
  ownStack.write('sets.ipynb', notebook('python3', [CELL]));
  const lab = await openLab(ownStack);
  const sidebar = await Sidebar.open(lab);
  await expect(sidebar.region).toContainText('No pilots yet.');
  const pilot = await api.ensurePilot('train', { cores: 2, runtime: '30m' });

  await test.step('Run a task: a command line becomes words, what is wrong is said, code is shown', async () => {
    await sidebar.region.getByRole('button', { name: 'Run a task' }).click();
    const dialog = lab.page.getByRole('dialog').filter({ hasText: 'Run a task' });
    const command = dialog.getByLabel('Command', { exact: true });
    await command.fill('echo "one');
    await expect(dialog.getByRole('alert')).toContainText('A quote (") is not closed.');
    await command.fill('echo one | wc');
    await expect(dialog.getByRole('alert')).toContainText("Write: bash -c '…'");
    await command.fill(`bash -c 'echo "hello from {cores} core"; echo kept > report.txt'`);
    await expect(dialog.getByRole('alert')).toHaveCount(0);
    await dialog.getByLabel('Name', { exact: true }).fill('greet');
    await dialog.getByRole('button', { name: 'More fields' }).click();
    await dialog.getByLabel('Own folder').check();
    await expect(dialog.getByRole('tabpanel')).toContainText('s.tasks.submit(["bash", "-c"');
    await expect(dialog.getByRole('tabpanel')).toContainText('sandbox=True');
    await dialog.getByRole('button', { name: 'Run', exact: true }).click();
    await expect(dialog).toHaveCount(0);
  });

  await test.step('Its page: state, log, times, usage, files', async () => {
    const page = pageOf(lab, 'greet');
    await expect(page).toContainText('DONE');
    await expect(page.getByRole('log')).toContainText('hello from 1 core');
    await expect(page.getByRole('table', { name: 'When each state was entered' })).toContainText('RUNNING');
    await expect(page.getByRole('table', { name: 'What it has used' })).toContainText('CPU time');
    await page.getByRole('button', { name: 'List its files' }).click();
    await page
      .getByRole('row', { name: /report\.txt/ })
      .getByRole('button', { name: 'Look inside' })
      .click();
    await expect(page.getByRole('region', { name: 'Inside report.txt' })).toContainText('kept');
    await page.getByRole('button', { name: 'Retry' }).click();
    await expect.poll(async () => (await api.tasks()).filter(({ retryOf }) => retryOf !== null).length).toBe(1);
  });

  await test.step('Many: a grid, filtered to a plain table; the chosen task beside it', async () => {
    const set = await api.submitSet(
      'preprocess',
      Array.from({ length: ROWS }, (_, n) => ({ name: `prep-${n}`, command: commandOf(n) })),
    );
    await sidebar.region.getByRole('button', { name: 'preprocess', exact: true }).click();
    const page = pageOf(lab, 'Tasks');
    await expect(page.getByRole('grid', { name: 'Tasks' })).toBeVisible();
    await expect.poll(async () => (await api.set(set.id)).state, { timeout: 60_000 }).toBe('FAILED');
    await expect(page.getByRole('progressbar', { name: 'Progress of preprocess' })).toHaveAttribute(
      'aria-valuenow',
      String(ROWS),
    );
    await walk(page, lab);
    await page.getByRole('button', { name: `${ROWS / 40} FAILED` }).click();
    const table = page.getByRole('table', { name: 'Tasks', exact: true });
    await expect(table.getByRole('row', { name: /prep-/ })).toHaveCount(ROWS / 40);
    await table.getByRole('button', { name: 'prep-79', exact: true }).click();
    const beside = page.getByRole('complementary', { name: 'The chosen task' });
    await expect(beside).toContainText('exit code 3');
    await expect(beside.getByRole('log')).toContainText('index not found');
    await lab.reload();
    await expect(pageOf(lab, 'Tasks').getByRole('progressbar', { name: 'Progress of preprocess' })).toBeVisible();
  });

  await test.step('Who ran where, drawn and as a table', async () => {
    await lab.command('pilothouse:open-pilot', { id: pilot.id });
    const page = pageOf(lab, 'train');
    await expect(page.getByRole('application', { name: /^Timeline of cores and GPUs/ })).toBeVisible();
    await page.getByRole('button', { name: 'Show as a table' }).click();
    const spans = page.getByRole('table', { name: 'Who held which cores and GPUs' });
    await expect(spans.getByRole('row', { name: /prep-239 .*FAILED.* core/ }).first()).toBeVisible();
    await page.getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await expect(page.getByRole('button', { name: 'Suspend' })).toBeVisible();
  });

  await test.step('A set in a cell: what failed first, retried from there', async () => {
    await lab.openNotebook('sets.ipynb');
    await lab.runCell(0);
    const set = lab.cell(0).getByRole('region', { name: 'Task set cellset' });
    await expect(set).toContainText('FAILED', { timeout: 60_000 });
    await expect(set).toContainText('4/4');
    await expect(set.getByRole('list', { name: 'Failed tasks' })).toContainText('bad');
    await set.getByRole('button', { name: 'Retry failed' }).click();
    await expect(lab.page.getByText('1 task runs again, as a new set.').first()).toBeVisible();
  });
});

const CELL = `import pilothouse as ph
s = ph.connect()
s.tasks.submit_many([ph.Task(["false" if n == 3 else "true"], name="bad" if n == 3 else f"t{n}") for n in range(4)], name="cellset")`;

/** Goes through the rows by keys: the row under the cursor is spelled out. */
async function walk(page: Locator, lab: Lab): Promise<void> {
  const grid = page.getByRole('grid', { name: 'Tasks' });
  await grid.focus();
  await lab.page.keyboard.press('ArrowDown');
  await expect(page.getByRole('row', { selected: true })).toContainText('Task: prep-0');
  await lab.page.keyboard.press('End');
  await expect(page.getByRole('row', { selected: true })).toContainText(`Task: prep-${ROWS - 1}`);
  await lab.page.keyboard.press('Escape');
}
