import { join } from 'node:path';
import { REPO } from '../../scripts/lib/paths.mjs';
import { AnswerCell } from '../src/answer-cell.js';
import { expect, test } from '../src/fixtures.js';
import type { Lab } from '../src/lab.js';
import { pageOf, Sidebar } from '../src/sidebar.js';

const NOTEBOOK = 'first-light-python.ipynb';
/** The light ones are the README's; the dark ones are for looking at. */
const THEMES = [
  { theme: 'JupyterLab Dark', folder: join(REPO, 'ui-tests', 'test-results', 'dark') },
  { theme: 'JupyterLab Light', folder: join(REPO, 'docs', 'images') },
];

test('pictures of the first notebook, of a service, and of how one is started', async ({ ownStack, openLab }) => {
  test.setTimeout(240_000);
  const lab = await openLab(ownStack, NOTEBOOK);
  const sidebar = await Sidebar.open(lab);
  await widen(lab, 350);
  const cell = lab.cell(3);
  await lab.runAll();
  const answer = new AnswerCell(cell);
  await answer.ended();
  // Asked again, the service is warm and the figures are those of every day.
  await lab.runCell(3);
  await answer.streaming();
  await answer.ended();
  await lab.save();
  await expect(sidebar.row('Services', 'smollm2')).toContainText('READY');
  await inBothThemes(lab, 'first-light');

  await sidebar.row('Services', 'smollm2').getByRole('button', { name: 'smollm2', exact: true }).click();
  const page = pageOf(lab, 'smollm2');
  await page.getByRole('button', { name: 'Ask', exact: true }).click();
  const asked = new AnswerCell(page);
  await asked.streaming();
  await asked.ended();
  await inBothThemes(lab, 'service-page');

  for (let turn = 0; turn < 3; turn += 1) {
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await asked.streaming();
    await asked.ended();
  }
  await expect(page.getByRole('list', { name: 'Requests to smollm2' }).getByRole('listitem')).not.toHaveCount(0);
  await page.getByRole('region', { name: 'Instances' }).evaluate((part) => part.scrollIntoView({ block: 'start' }));
  await inBothThemes(lab, 'service-requests');

  const dialog = await sidebar.ask('Start service');
  await dialog.getByRole('radio', { name: 'by what there is to do' }).check();
  // The list of templates stays at the top: further down stand paths of this machine.
  await expect(dialog.getByRole('list', { name: 'Looked at beforehand' })).toContainText('can hold an instance');
  await inBothThemes(lab, 'start-service');
});

async function inBothThemes(lab: Lab, name: string): Promise<void> {
  for (const { theme, folder } of THEMES) {
    await lab.command('apputils:change-theme', { theme });
    await expect(lab.page.locator('body')).toHaveAttribute('data-jp-theme-name', theme);
    // Neither a pointer's highlight nor a notification belongs to what is shown.
    for (const hide of await lab.page.getByTitle('Hide notification').all()) await hide.click();
    await lab.page.mouse.move(1, 400);
    await lab.page.evaluate(() => document.fonts.ready.then(() => undefined));
    await lab.page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
  }
}

/** Drags the edge of the sidebar. */
async function widen(lab: Lab, width: number): Promise<void> {
  const box = await lab.page.getByRole('region', { name: 'Pilothouse', exact: true }).boundingBox();
  if (box === null) throw new Error('The sidebar is not shown');
  await lab.page.mouse.move(box.x + box.width + 1, 400);
  await lab.page.mouse.down();
  await lab.page.mouse.move(box.x + width, 400, { steps: 4 });
  await lab.page.mouse.up();
}
