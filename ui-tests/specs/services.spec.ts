import { dirname, join } from 'node:path';
import type { Locator } from '@playwright/test';
import { VENV_PYTHON } from '../../scripts/lib/paths.mjs';
import { AnswerCell } from '../src/answer-cell.js';
import { expect, test } from '../src/fixtures.js';
import type { Lab } from '../src/lab.js';
import { notebook } from '../src/notebook-file.js';
import { pageOf, Sidebar } from '../src/sidebar.js';
import type { Stack } from '../src/stack.js';

test('services: from the form to chat, vectors, a form of their own, a batch, scaling, draining, and their end', async ({
  ownStack,
  openLab,
}) => {
  test.setTimeout(300_000);
  const { api } = ownStack;
  ownStack.write('fit.py', FIT);
  ownStack.write('batch.ipynb', notebook('python3', [BATCH]));
  const lab = await openLab(ownStack);
  lab.page.setDefaultTimeout(30_000);
  const sidebar = await Sidebar.open(lab);
  await expect(sidebar.region).toContainText('No services yet. A service is a model that answers requests');
  await api.ensurePilot('demo', { cores: 2, runtime: '1h' });

  await test.step('Start service: a template between two numbers of instances, previewed and as code', async () => {
    const dialog = await sidebar.ask('Start service');
    await expect(dialog.getByRole('radio', { name: /^SmolLM2 \(demo\)/ })).toBeChecked();
    await expect(dialog.getByRole('radio', { name: /^Ray Serve/ })).toBeDisabled();
    await dialog.getByRole('radio', { name: 'by what there is to do' }).check();
    await dialog.getByLabel('At least').fill('3');
    await dialog.getByLabel('At most').fill('2');
    await expect(dialog.getByRole('alert')).toHaveText('At least must not be more than at most.');
    await dialog.getByLabel('At least').fill('1');
    await expect(dialog).toContainText('1 to 2 instances');
    await expect(dialog.getByRole('list', { name: 'Looked at beforehand' })).toContainText('can hold an instance');
    await expect(dialog.getByRole('tabpanel')).toContainText('s.services.ensure("smollm2", instances=(1, 2)');
    await dialog.getByRole('tab', { name: 'Command' }).click();
    await expect(dialog.getByRole('tabpanel')).toContainText('--port {port}');
    await dialog.getByRole('button', { name: 'Start service' }).click();
    await expect(pageOf(lab, 'smollm2')).toContainText('1/1 ready', { timeout: 60_000 });
    await expect(pageOf(lab, 'smollm2')).toContainText('between 1 and 2 instances');
  });

  await test.step('Try it: chat with options; what was asked is found again', async () => {
    const page = pageOf(lab, 'smollm2');
    await page.getByLabel('Prompt', { exact: true }).fill('Name a heavy element.');
    await page.getByText('Options', { exact: true }).click();
    await page.getByLabel('Temperature').fill('9');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await expect(page.getByRole('alert')).toContainText('An option has a value that it cannot have.');
    await page.getByLabel('Temperature').fill('0');
    await page.getByLabel('Max tokens').fill('12');
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    const answer = new AnswerCell(page.getByRole('region', { name: 'Try it' }));
    await answer.ended();
    await expect(answer.problem).toHaveCount(0);
    const { options } = await api.newestAnswer();
    expect(options).toMatchObject({ maxTokens: 12, temperature: 0 });
    await page.getByRole('searchbox', { name: 'Search questions and answers' }).fill('heavy');
    const history = page.getByRole('list', { name: 'Requests to smollm2' });
    await expect(history.getByRole('listitem')).toHaveCount(1);
    await history.getByRole('button', { name: /Name a heavy element/ }).click();
    await history.getByRole('button', { name: 'Ask again' }).click();
    await expect(history.getByRole('listitem')).toHaveCount(2);
    await page.getByRole('searchbox', { name: 'Search questions and answers' }).fill('nobody asked this');
    await expect(page).toContainText('No kept request holds that.');
    await expect(page.getByRole('figure', { name: 'Parts of the response time' })).toContainText('inference');
  });

  await test.step('A batch in a cell and on its page', async () => {
    await lab.openNotebook('batch.ipynb');
    await lab.runCell(0);
    const view = lab.cell(0).getByRole('region', { name: /^Batch / });
    await expect(view).toContainText('DONE', { timeout: 90_000 });
    await expect(view).toContainText('3/3 rows');
    await lab.save();
    await view.getByRole('button', { name: 'Open', exact: true }).click();
    const rows = lab.page.getByRole('table', { name: /^Rows of / });
    await expect(rows.getByRole('row')).toHaveCount(4);
  });

  await test.step('Running sidebar: what runs can be stopped there', async () => {
    await lab.page.getByRole('tab', { name: /^Running/ }).click();
    const item = lab.page.getByRole('region', { name: 'Services Section' }).getByRole('treeitem', { name: /^smollm2/ });
    await item.hover();
    // JupyterLab's own button for this has a name and no role.
    await item.getByTitle('Stop service').click();
    const sure = lab.page.getByRole('dialog').filter({ hasText: 'Stop service smollm2?' });
    await sure.getByRole('button', { name: 'Stop service' }).click();
    await expect.poll(() => ended(ownStack, 'smollm2'), { timeout: 30_000 }).toBe(true);
  });

  await test.step('Embedding: vectors with their dimension', async () => {
    await embedder(ownStack);
    const page = await open(lab, 'vectors');
    await page.getByRole('tab', { name: 'Embedding' }).click();
    await page.getByLabel('Texts, one a line').fill('DNA repair\ndouble strand break');
    await page.getByRole('button', { name: 'Send' }).click();
    await expect(page.getByRole('region', { name: 'Try it' })).toContainText('2 vectors · dimension 576');
    await api.call('services/stop', { ref: 'vectors' });
    await expect.poll(() => ended(ownStack, 'vectors'), { timeout: 30_000 }).toBe(true);
  });

  await test.step('A service of one’s own: started by its command, asked by the form of its schema', async () => {
    const dialog = await (await Sidebar.open(lab)).ask('Start service');
    await dialog.getByRole('radio', { name: /^A command of your own/ }).check();
    const script = join(ownStack.workspace, 'fit.py');
    await dialog.getByLabel('Command', { exact: true }).fill(`${VENV_PYTHON} ${script}`);
    await dialog.getByLabel('API', { exact: true }).selectOption('zeromq');
    await dialog.getByLabel('Name', { exact: true }).fill('curves');
    await dialog.getByRole('button', { name: 'Start service' }).click();
    const page = pageOf(lab, 'curves');
    await expect(page).toContainText('1/1 ready', { timeout: 60_000 });
    await page.getByLabel(/^dose/).fill('1, 2, 6');
    await page.getByRole('button', { name: 'Send' }).click();
    await expect(page.getByRole('table', { name: 'Value' })).toContainText('3');
    await page.getByRole('button', { name: 'as JSON' }).first().click();
    await expect(page.getByLabel('Input (JSON)')).toHaveValue(/"dose"/);
  });

  await test.step('Scale, drain, stop', async () => {
    const page = pageOf(lab, 'curves');
    await page.getByRole('button', { name: 'Scale', exact: true }).click();
    const scale = lab.page.getByRole('dialog').filter({ hasText: 'Scale curves' });
    await scale.getByLabel('Number of instances').fill('2');
    await scale.getByRole('button', { name: 'Scale', exact: true }).click();
    await expect(page).toContainText('2/2 ready', { timeout: 60_000 });
    const second = page.getByRole('row', { name: /^instance 2/ }).first();
    await second.getByRole('button', { name: 'Drain' }).click();
    const sure = lab.page.getByRole('dialog').filter({ hasText: 'Drain instance 2 of curves?' });
    await expect(sure).toContainText('the others go on');
    await sure.getByRole('button', { name: 'Drain' }).click();
    await expect.poll(() => leaving(ownStack), { timeout: 30_000 }).toBe(true);
    await page.getByRole('button', { name: 'Stop', exact: true }).first().click();
    await lab.page.getByRole('dialog').getByRole('button', { name: 'Stop service' }).click();
    await expect(page).toContainText('STOPPED', { timeout: 30_000 });
  });
});

/** A service whose methods the page has to make a form of. */
const FIT = `from pilothouse.serving import Service


class DoseResponse(Service):
    def fit(self, dose: list[float], steps: int = 10) -> dict[str, float]:
        """Fits a dose-response curve."""
        return {"ec50": sum(dose) / len(dose), "hill": float(steps)}


DoseResponse().serve()
`;

const BATCH = `import pilothouse as ph
s = ph.connect()
s.services.get("smollm2").map(["Name a gene.", "Name a protein.", "Name a cell."], max_tokens=4)`;

/** The demo's own model and server, for vectors. */
async function embedder({ api }: Stack): Promise<void> {
  const looked = await api.call('services/preview', { description: { template: 'smollm2', pilot: 'demo' } });
  const words = isPreview(looked) ? looked.command : [];
  const server = words[0] ?? '';
  const bin = dirname(server);
  // Its libraries for every CPU lie beside it in another package.
  const libraries = [join(bin, '..', '..', 'libggml', 'lib64'), bin].join(':');
  const params = { server, libraries, model: words[words.indexOf('--model') + 1] ?? '', embeddings: true };
  const description = { template: 'llama-cpp', params, resources: { cores: 1 }, pilot: 'demo' };
  await api.ensureService('vectors', description);
  await expect.poll(async () => (await api.service('vectors')).state, { timeout: 60_000 }).toBe('READY');
}

function isPreview(value: unknown): value is { command: string[] } {
  return typeof value === 'object' && value !== null && 'command' in value && Array.isArray(value.command);
}

async function open(lab: Lab, service: string): Promise<Locator> {
  const sidebar = await Sidebar.open(lab);
  await sidebar.row('Services', service).getByRole('button', { name: service, exact: true }).click();
  return pageOf(lab, service);
}

async function ended({ api }: Stack, name: string): Promise<boolean> {
  const services = await api.services(true);
  return services.filter((service) => service.name === name).every(({ endedAt }) => endedAt !== null);
}

/** Whether the second instance takes nothing new, or is gone already. */
async function leaving({ api }: Stack): Promise<boolean> {
  const { instances } = await api.service('curves');
  const second = instances.filter(({ index }) => index === 2);
  return second.every(({ draining, state }) => draining || state === 'STOPPED' || state === 'STOPPING');
}
