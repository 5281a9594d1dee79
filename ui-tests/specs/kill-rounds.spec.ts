import { AnswerCell } from '../src/answer-cell.js';
import { Crowd } from '../src/crowd.js';
import { demoService } from '../src/demo.js';
import { expect, test } from '../src/fixtures.js';
import type { Lab } from '../src/lab.js';
import { ENDLESS_PROMPT, LONG_CONTEXT } from '../src/long-answer.js';
import { notebook } from '../src/notebook-file.js';
import { Seeded } from '../src/seeded.js';
import type { Stack } from '../src/stack.js';
import { kill, replaced, type Victim } from '../src/victims.js';

const ROUNDS = 5;
const TASKS = 20;
const FILE = 'kill-rounds.ipynb';
/** Longest seeded wait before a kill, in milliseconds: the moment is what is drawn, nothing is waited for. */
const MOMENT_MS = 400;
const RUNNING = Array.from({ length: TASKS }, () => 'RUNNING');
const SEED = Number(process.env.PILOTHOUSE_SEED ?? 20_251_121);

const ASK = `import pilothouse as ph
ph.connect().services.get("smollm2").chat("${ENDLESS_PROMPT}", max_tokens=8000, temperature=0)`;

test(`${ROUNDS} rounds of kill -9 lose and double nothing (PILOTHOUSE_SEED=${SEED})`, async ({ ownStack, openLab }) => {
  test.setTimeout(ROUNDS * 60_000 + 60_000);
  const random = new Seeded(SEED);
  ownStack.write(FILE, notebook('python3', [ASK]));
  const lab = await openLab(ownStack, FILE);
  await demoService(ownStack, { ctx: LONG_CONTEXT, parallel: 1 });
  await lab.runCell(0);
  await lab.cellDone(0);
  await lab.save();

  for (let round = 1; round <= ROUNDS; round += 1) {
    await test.step(`round ${round}`, async () => {
      const crowd = await Crowd.submit(ownStack, `round-${round}`, TASKS);
      const warden: Victim = random.next() < 0.5 ? 'warden keeper' : 'warden server';
      const plan = random
        .shuffled<Victim>(['bridge', 'agent', warden, 'JupyterLab'])
        .map((victim) => ({ victim, moment: random.below(MOMENT_MS) }));
      console.log(`round ${round}: ${plan.map(({ victim, moment }) => `${victim} after ${moment} ms`).join(', ')}`);
      for (const { victim, moment } of plan) {
        await test.step(victim, () => killOne(ownStack, lab, crowd, victim, moment));
      }
      crowd.release();
      await expect.poll(() => crowd.states(), { timeout: 30_000 }).toEqual(crowd.ends);
      expect(crowd.started(), 'each task began once').toEqual(crowd.names);
    });
  }

  const shown = new AnswerCell(lab.cell(0));
  const last = await ownStack.api.newestAnswer();
  await shown.stop.click();
  await shown.ended();
  expect(await shown.plainText()).toBe((await ownStack.api.answer(last.id)).text);
  // That nothing is left running is what closing the stack checks.
});

async function killOne(stack: Stack, lab: Lab, crowd: Crowd, victim: Victim, moment: number): Promise<void> {
  const { api } = stack;
  const shown = new AnswerCell(lab.cell(0));
  await shown.streaming();
  await expect.poll(() => crowd.states(), { timeout: 30_000 }).toEqual(RUNNING);
  const { id } = await api.newestAnswer();
  await new Promise((resolve) => setTimeout(resolve, moment));
  expect((await api.answer(id)).state).toBe('STREAMING');
  expect(await crowd.states()).toEqual(RUNNING);

  const killed = await kill(stack, victim);
  if (victim === 'JupyterLab') {
    await stack.labEnded();
    await stack.startLab();
  }
  await replaced(stack, victim, killed);

  if (victim === 'bridge') {
    // It was the bridge's own call: the cell says what became of it, keeps the text and asks again on demand.
    await shown.ended();
    await expect(shown.problem).toContainText('BRIDGE_RESTARTED');
    expect(await api.answer(id)).toMatchObject({
      state: 'FAILED',
      error: { code: 'BRIDGE_RESTARTED', retryable: true },
    });
    expect(await shown.plainText()).toBe((await api.answer(id)).text);
    await shown.retry.click();
    await shown.streaming();
    expect(await api.newestAnswer()).toMatchObject({ retryOf: id });
  } else {
    await shown.grows(60_000);
    expect((await api.answer(id)).state).toBe('STREAMING');
  }
  // Known again, and never known as anything else than running.
  await expect.poll(() => crowd.states(), { timeout: 30_000 }).toEqual(RUNNING);
}
