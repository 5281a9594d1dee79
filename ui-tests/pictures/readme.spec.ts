import { join } from 'node:path';
import { REPO } from '../../scripts/lib/paths.mjs';
import { AnswerCell } from '../src/answer-cell.js';
import { expect, test } from '../src/fixtures.js';

const NOTEBOOK = 'first-light-python.ipynb';
const ANSWER_CELL = 3;
const SERVICE = 'smollm2';
const image = (name: string) => join(REPO, 'docs', 'images', `${name}.png`);

test('the pictures of the README', async ({ stack, openLab, page }) => {
  const lab = await openLab(stack, NOTEBOOK);
  const sidebar = await lab.sidebar();
  await lab.runAll();
  const cell = new AnswerCell(lab.cell(ANSWER_CELL));
  await cell.ended();
  await expect(sidebar.getByText(SERVICE).first()).toBeVisible();
  await lab.cell(ANSWER_CELL).scrollIntoViewIfNeeded();
  // What has just happened is told in a corner of the window, over what the picture is to show.
  for (const hide of await page.getByTitle('Hide notification').all()) await hide.click();
  await expect(page.getByTitle('Hide notification')).toHaveCount(0);
  await page.screenshot({ path: image('first-light') });

  await sidebar.getByText(SERVICE).first().click();
  const tryIt = page.getByRole('region', { name: 'Try it' });
  await tryIt.getByRole('textbox', { name: 'Prompt' }).fill('What does ionizing radiation do to DNA?');
  await tryIt.getByRole('button', { name: 'Ask', exact: true }).click();
  await new AnswerCell(tryIt).ended();
  await page.screenshot({ path: image('service-page') });
});
