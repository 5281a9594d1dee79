import { AnswerCell } from '../src/answer-cell.js';
import { loggedText } from '../src/calls-log.js';
import { demoService } from '../src/demo.js';
import { expect, test } from '../src/fixtures.js';
import { ENDLESS_PROMPT, LONG_CONTEXT } from '../src/long-answer.js';
import { notebook } from '../src/notebook-file.js';
import { kill } from '../src/victims.js';
import { savedAnswer } from '../src/views.js';

const FILE = 'survives.ipynb';

test('an answer goes on through a reload, a kernel restart and a killed JupyterLab, and its view with it', async ({
  ownStack,
  openLab,
}) => {
  test.setTimeout(180_000);
  const { api } = ownStack;
  const ask = `import pilothouse as ph
ph.connect().services.get("smollm2").chat("${ENDLESS_PROMPT}", max_tokens=8000, temperature=0)`;
  ownStack.write(FILE, notebook('python3', [ask]));
  const lab = await openLab(ownStack, FILE);
  const service = await demoService(ownStack, { ctx: LONG_CONTEXT, parallel: 1 });
  await lab.runCell(0);
  const shown = new AnswerCell(lab.cell(0));
  await shown.streaming();
  await lab.cellDone(0);
  await lab.save();
  const { id } = await api.newestAnswer();

  await test.step('reload of the browser', async () => {
    await shown.grows();
    await lab.reload();
    await shown.streaming();
    await shown.grows();
  });

  await test.step('restart of the kernel', async () => {
    await lab.restartKernel();
    await shown.grows();
  });

  await test.step('kill -9 of JupyterLab', async () => {
    await shown.grows();
    await kill(ownStack, 'JupyterLab');
    await ownStack.labEnded();
    const atKill = (await api.answer(id)).chunks;
    await ownStack.startLab();
    await expect.poll(async () => (await api.answer(id)).chunks).toBeGreaterThan(atKill);
    expect((await api.answer(id)).state).toBe('STREAMING');
    // The same page, not loaded again.
    await shown.grows(60_000);
  });

  await shown.stop.click();
  await shown.ended();
  const record = await api.answer(id);
  expect(record.state).toBe('CANCELED');
  expect(loggedText(ownStack.home, id)).toBe(record.text);
  expect(await shown.plainText()).toBe(record.text);
  expect((await api.answerList()).map((answer) => answer.id)).toEqual([id]);
  expect((await api.services(true)).map((one) => one.id)).toEqual([service.id]);
  expect((await api.pilots(true)).map((one) => one.state)).toEqual(['ACTIVE']);

  // The page is left without being saved; what it had put into the notebook is there again when it is opened.
  await lab.openNotebook(FILE);
  expect(await shown.plainText()).toBe(record.text);
  await lab.save();
  expect(savedAnswer(lab.saved(FILE).cells[0])).toMatchObject({ id, text: record.text });
});
