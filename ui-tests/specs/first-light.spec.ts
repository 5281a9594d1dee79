import type { Locator } from '@playwright/test';
import { AnswerCell } from '../src/answer-cell.js';
import { expect, test } from '../src/fixtures.js';
import { LlamaServer } from '../src/llama-server.js';
import { ENDLESS_PROMPT } from '../src/long-answer.js';
import { notebook } from '../src/notebook-file.js';
import { pageOf, Sidebar } from '../src/sidebar.js';

const PROMPT = 'What does ionizing radiation do to DNA?';

test('the sidebar leads from nothing to a model that answers, on its page and in every kind of notebook', async ({
  ownStack,
  openLab,
}) => {
  test.setTimeout(240_000);
  const { api } = ownStack;
  const lab = await openLab(ownStack);
  const sidebar = await Sidebar.open(lab);

  await test.step('New pilot', async () => {
    await expect(sidebar.region).toContainText(
      'No pilots yet. A pilot holds cores and GPUs for your tasks and services.',
    );
    const dialog = await sidebar.ask('New pilot');
    await dialog.getByLabel('Name', { exact: true }).fill('first');
    await dialog.getByLabel('Cores', { exact: true }).fill('9999');
    await expect(dialog.getByRole('alert')).toHaveText(/^This machine: at most \d+ cores?\.$/);
    await dialog.getByRole('button', { name: 'Start pilot' }).click();
    await expect(dialog.getByRole('alert')).toBeVisible();
    await dialog.getByLabel('Cores', { exact: true }).fill('2');
    await expect(dialog.getByRole('alert')).toHaveCount(0);
    await dialog.getByLabel('Runtime', { exact: true }).fill('soon');
    await expect(dialog.getByRole('alert')).toBeVisible();
    await dialog.getByLabel('Runtime', { exact: true }).fill('30m');
    await expect(dialog).toContainText('2 cores');
    await dialog.getByRole('button', { name: 'Start pilot' }).click();
    await expect(dialog).toHaveCount(0);

    const row = sidebar.row('Pilots', 'first');
    await expect(row).toContainText('ACTIVE');
    await expect(row).toContainText('0/2');
    await expect(row).toContainText(/29:\d\d left/);
  });

  let server: LlamaServer | undefined;
  await test.step('Start service', async () => {
    const dialog = await sidebar.ask('Start service');
    await expect(dialog.getByRole('radio', { name: /^SmolLM2 \(demo\)/ })).toBeChecked();
    await expect(dialog.getByLabel('Pilot', { exact: true })).toContainText('first (ACTIVE, 2 of 2 cores free)');
    await dialog.getByRole('button', { name: 'Start service' }).click();
    const instances = pageOf(lab, 'smollm2').getByRole('table', { name: 'Instances of smollm2' });
    await expect(instances).toContainText('INITIALIZING');
    await expect(instances).toContainText('READY', { timeout: 60_000 });
    await expect(instances).toContainText(/launch [\d.]+ m?s.*init [\d.]+ m?s.*publish [\d.]+ m?s/);
    await expect(instances).toContainText('passed in');
    await expect(sidebar.row('Services', 'smollm2')).toContainText('1/1 ready');
    await expect(sidebar.row('Pilots', 'first')).toContainText('1/2');
    await expect(lab.page.locator('#jp-main-statusbar')).toContainText('Pilothouse: 1 pilot');
    const { instances: records } = await api.service('smollm2');
    expect(Object.keys(records[0]?.times ?? {})).toEqual(
      expect.arrayContaining(['LAUNCHING', 'INITIALIZING', 'READY']),
    );
    server = new LlamaServer(await api.service('smollm2'));
  });

  await test.step('Try it: tokens, timing, Stop', async () => {
    const page = pageOf(lab, 'smollm2');
    const answer = new AnswerCell(page);
    await ask(page, PROMPT);
    await answer.grows();
    await answer.ended();
    await expect(answer.problem).toHaveCount(0);
    const timing = await answer.timing();
    for (const part of ['communication', 'queue', 'service', 'inference', 'first token', 'speed']) {
      expect(timing.get(part), part).toMatch(/\d/);
    }
    await ask(page, ENDLESS_PROMPT);
    await answer.grows();
    expect(await server?.processing()).toBe(1);
    await answer.stop.click();
    await answer.ended();
    await expect.poll(() => server?.processing()).toBe(0);
  });

  for (const kernel of ['python3', 'tslab', 'deno'] as const) {
    await test.step(`Insert into notebook (${kernel})`, async () => {
      ownStack.write(`insert-${kernel}.ipynb`, notebook(kernel, ['']));
      await lab.openNotebook(`insert-${kernel}.ipynb`);
      await insert(await Sidebar.open(lab), 'smollm2');
      await expect(lab.cell(0)).toContainText(
        kernel === 'python3' ? `s.services.get("smollm2")` : `session.services.get('smollm2')`,
      );
      await lab.runCell(0);
      const answer = new AnswerCell(lab.cell(0));
      await answer.ended();
      await expect(answer.problem).toHaveCount(0);
      expect(await answer.plainText()).toBe((await api.newestAnswer()).text);
      await lab.save();
    });
  }

  await test.step('Attach service', async () => {
    const dialog = await sidebar.ask('Attach service');
    const url = `${server?.url}/v1`;
    await dialog.getByLabel('URL', { exact: true }).fill(url);
    const found = dialog.getByRole('status', { name: 'What was found' });
    await expect(found).toContainText('Found: the OpenAI API · asks for a key');
    await expect(found).toContainText('1 model: smollm2');
    await storeCredential(dialog, 'mine', 'not-the-key');
    await dialog.getByRole('button', { name: 'Check and attach' }).click();
    await expect(dialog.getByRole('alert')).toContainText('AUTHENTICATION_FAILED');
    await storeCredential(dialog, 'mine', server?.key ?? '');
    await dialog.getByLabel('Name', { exact: true }).fill('elsewhere');
    await dialog.getByRole('button', { name: 'Check and attach' }).click();
    await expect(dialog).toHaveCount(0);
    await expect(sidebar.row('Services', 'elsewhere')).toContainText('attached');
    const page = pageOf(lab, 'elsewhere');
    await ask(page, PROMPT);
    const answer = new AnswerCell(page);
    await answer.ended();
    await expect(answer.problem).toHaveCount(0);
    await expect(answer.region).toContainText('inference');
  });

  await test.step('Stop and End', async () => {
    await pageOf(lab, 'elsewhere').getByRole('button', { name: 'Let go' }).click();
    await lab.page.getByRole('dialog').getByRole('button', { name: 'Stop service' }).click();
    await expect(sidebar.row('Services', 'elsewhere')).toContainText('STOPPED');
    expect(await server?.processing()).toBe(0);
    await sidebar.row('Pilots', 'first').hover();
    await sidebar.row('Pilots', 'first').getByRole('button', { name: 'End first' }).click();
    const sure = lab.page.getByRole('dialog').filter({ hasText: 'End pilot first?' });
    await expect(sure).toContainText('smollm2');
    await sure.getByRole('button', { name: 'End pilot' }).click();
    await expect
      .poll(async () => (await api.pilot('first').catch(() => api.pilots(true).then(([one]) => one)))?.endedAt, {
        timeout: 30_000,
      })
      .not.toBeNull();
    await expect.poll(() => ownStack.find(/llama-server/).length).toBe(0);
  });
});

async function ask(page: Locator, prompt: string): Promise<void> {
  await page.getByLabel('Prompt', { exact: true }).fill(prompt);
  await page.getByRole('button', { name: 'Ask', exact: true }).click();
  await new AnswerCell(page).streaming();
}

async function insert(sidebar: Sidebar, service: string): Promise<void> {
  const row = sidebar.row('Services', service);
  await row.hover();
  await row.getByRole('button', { name: `Insert ${service} into notebook` }).click();
}

async function storeCredential(dialog: Locator, name: string, key: string): Promise<void> {
  await dialog.getByRole('button', { name: 'Add a credential' }).click();
  await dialog.getByLabel('Name of the credential').fill(name);
  await dialog.getByLabel('Key', { exact: true }).fill(key);
  await dialog.getByRole('button', { name: 'Store credential' }).click();
  await expect(dialog.getByLabel('Credential', { exact: true })).toHaveValue(/./);
}
