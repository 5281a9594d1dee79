import { AnswerCell } from '../src/answer-cell.js';
import { loggedText } from '../src/calls-log.js';
import { demoService } from '../src/demo.js';
import { expect, test } from '../src/fixtures.js';
import { noteGrowth } from '../src/growth.js';
import { LlamaServer } from '../src/llama-server.js';
import { longAnswer } from '../src/long-answer.js';
import { convertToHtml } from '../src/nbconvert.js';
import { notebook } from '../src/notebook-file.js';
import { savedAnswer } from '../src/views.js';

const ANSWER_CELL = 3;
const TIMING = ['communication', 'queue', 'service', 'inference', 'total', 'first token'];

const KERNELS = [
  { name: 'Python', kernel: 'python3', example: 'first-light-python.ipynb' },
  { name: 'tslab', kernel: 'tslab', example: 'first-light-tslab.ipynb' },
  { name: 'Deno', kernel: 'deno', example: 'first-light-deno.ipynb' },
] as const;

for (const { name, kernel, example } of KERNELS) {
  test(`${name}: the example streams into its cell and keeps text and timing`, async ({ stack, openLab, page }) => {
    const lab = await openLab(stack, example);
    const growth = await noteGrowth(lab.cell(ANSWER_CELL));
    await lab.runAll();
    await lab.cellDone(ANSWER_CELL);
    const shown = new AnswerCell(lab.cell(ANSWER_CELL));
    await shown.ended();
    expect((await growth()).length, 'sizes the text had while it streamed').toBeGreaterThan(2);

    // Byte for byte: what the server sent, what the bridge kept, what the cell shows, what the notebook holds.
    await expect(shown.problem).toHaveCount(0);
    const record = await stack.api.newestAnswer();
    expect(record.state).toBe('DONE');
    expect(record.text).not.toBe('');
    expect(loggedText(stack.home, record.id)).toBe(record.text);
    expect(await shown.plainText()).toBe(record.text);
    const timing = await shown.timing();
    for (const part of TIMING) expect(timing.get(part), part).toMatch(/\d/);
    await lab.save();
    const saved = savedAnswer(lab.saved(example).cells[ANSWER_CELL]);
    expect(saved).toMatchObject({ id: record.id, state: 'DONE', text: record.text, timing: record.timing });

    // Run All twice gives one pilot and one service.
    await lab.runAll();
    await lab.cellDone(ANSWER_CELL);
    await shown.ended();
    const second = await stack.api.newestAnswer();
    expect(second.id).not.toBe(record.id);
    expect((await stack.api.pilots(true)).map((pilot) => pilot.name)).toEqual(['demo']);
    expect((await stack.api.services(true)).map((service) => service.name)).toEqual(['smollm2']);
    await lab.save();

    // Closed and opened again, it is still there, and so it is without JupyterLab.
    await lab.reload();
    const reopened = new AnswerCell(lab.cell(ANSWER_CELL));
    expect(await reopened.plainText()).toBe(second.text);
    expect((await reopened.timing()).get('total')).toMatch(/\d/);
    await page.setContent(await convertToHtml(stack, example));
    const texts = await page.locator('.jp-OutputArea-output [style*="pre-wrap"]').allTextContents();
    expect(texts).toEqual([second.text]);
    await expect(page.getByRole('table', { name: 'Timing' })).toContainText('inference');
  });

  test(`${name}: Stop in the cell stops the answer at the server`, async ({ stack, openLab }) => {
    const file = `stop-${kernel}.ipynb`;
    stack.write(file, notebook(kernel, [longAnswer(kernel)]));
    const lab = await openLab(stack, file);
    const server = new LlamaServer(await demoService(stack));
    await lab.runCell(0);
    const shown = new AnswerCell(lab.cell(0));
    await shown.streaming();
    expect(await server.processing()).toBe(1);

    await shown.stop.click();
    await shown.ended();
    await expect.poll(() => server.processing()).toBe(0);
    await expect(shown.region).toContainText('Stopped; this is the text so far.');
    const record = await stack.api.newestAnswer();
    expect(record.state).toBe('CANCELED');
    expect(await shown.plainText()).toBe(record.text);
    await lab.cellDone(0);
  });
}
