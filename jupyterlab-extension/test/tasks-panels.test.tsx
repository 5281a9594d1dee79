import { Widget } from '@lumino/widgets';
import { newId, renderBundle, VIEW_MIME } from '@pilothouse/sdk/internal';
import { testPilot, testTask, testTaskSet } from '@pilothouse/sdk/testing';
import { fireEvent, waitFor, within } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';
import { newEvidence } from '../src/components/explanation-body.js';
import { liveSummary } from '../src/format/summary.js';
import { TaskPage } from '../src/pages/task-page.js';
import { TasksPage } from '../src/pages/tasks-page.js';
import { Sidebar } from '../src/panels/sidebar.js';
import { changesOf, setOutcome, statesOf } from '../src/plugins/changes.js';
import { CommandIDs } from '../src/tokens.js';
import { createTestApp } from './support/app.js';

const open: Widget[] = [];
afterEach(() => {
  for (const widget of open.splice(0)) widget.dispose();
});

function attach<W extends Widget>(widget: W) {
  open.push(widget);
  Widget.attach(widget, document.body);
  return within(widget.node);
}

const counts = { total: 1000, waiting: 100, running: 88, done: 809, failed: 3, canceled: 0, resumed: 0 };
const error = {
  code: 'TASK_FAILED',
  message: 'exited with 3',
  hint: 'see its log',
  retryable: false,
  ids: {},
} as const;

function failedTask(set: string) {
  return testTask({ id: `${set}.1`, name: 'prep-1', set, state: 'FAILED', error, exitCode: 3, stderrTail: 'bad' });
}

describe('task sets', () => {
  const set = testTaskSet({ name: 'preprocess', counts, rate: 41, eta: 4, open: false });

  it('stand in the sidebar with bar, failed count and rate, and open the table', async () => {
    const { app, executed } = createTestApp({ picture: { sets: [set], tasks: [testTask({ name: 'single' })] } });
    app.commands.addCommand(CommandIDs.openTasks, { execute: () => null });
    const page = attach(new Sidebar(app));
    const bar = await page.findByRole('progressbar', { name: 'Progress of preprocess' });
    expect(bar.getAttribute('aria-valuetext')).toBe('812 of 1000 ended, 3 failed');
    page.getByText('3 failed');
    page.getByText(/41\/s · about 4 s left/);
    page.getByRole('button', { name: 'single' });
    fireEvent.click(page.getByRole('button', { name: 'preprocess' }));
    expect(executed).toContainEqual({ command: CommandIDs.openTasks, args: { set: set.id } });
  });

  it('are counted in the status bar, and told of when they have ended', () => {
    const { app, session } = createTestApp();
    const picture = { ...session.picture, pilots: [testPilot()], sets: [set], tasks: [testTask()] };
    expect(liveSummary(picture, app.trans)).toBe('1 pilot · 189 tasks');
    const ended = { ...set, state: 'FAILED' as const };
    const [change] = changesOf(statesOf(picture), { ...picture, sets: [ended] });
    expect(change).toEqual({ kind: 'set-ended', set: ended });
    expect(setOutcome(ended, app.trans)).toBe('Task set preprocess: 3 failed, 809 done.');
  });

  it('show what failed first in a cell', async () => {
    const { ViewRenderer } = await import('../src/cells/renderer.js');
    const { MimeModel } = await import('@jupyterlab/rendermime');
    const failures = [{ id: `${set.id}.1`, name: 'prep-1', error }];
    const record = { ...set, state: 'FAILED' as const, failures };
    const { app } = createTestApp({ picture: { sets: [record] } });
    const renderer = new ViewRenderer(app, { sanitize: (html) => html });
    const page = attach(renderer);
    const bundle = renderBundle(record, newId('view'));
    const data = JSON.parse(JSON.stringify({ [VIEW_MIME]: bundle[VIEW_MIME] }));
    await renderer.renderModel(new MimeModel({ data, trusted: true }));
    const failed = await page.findByRole('list', { name: 'Failed tasks' });
    expect(failed.textContent).toMatch(/prep-1 See its log\. Exited with 3 \(TASK_FAILED\)\./);
    page.getByRole('button', { name: 'Retry failed' });
    page.getByRole('button', { name: 'Open table' });
    expect(page.queryByRole('button', { name: 'Cancel' })).toBeNull();
  });
});

describe('the page of tasks', () => {
  it('filters by state, and shows the chosen task beside the table', async () => {
    const set = testTaskSet({ name: 'preprocess' });
    const done = testTask({ id: `${set.id}.0`, name: 'prep-0', set: set.id, state: 'DONE', exitCode: 0 });
    const { app } = createTestApp({ picture: { sets: [set], tasks: [done, failedTask(set.id)] } });
    const page = attach(new TasksPage(app));
    const table = within(await page.findByRole('table', { name: 'Tasks' }));
    await waitFor(() => table.getByRole('row', { name: /prep-0/ }));
    fireEvent.click(page.getByRole('button', { name: /1 FAILED/ }));
    await waitFor(() => expect(table.queryByRole('row', { name: /prep-0/ })).toBeNull());
    fireEvent.click(table.getByRole('button', { name: 'prep-1' }));
    const beside = within(await page.findByRole('complementary', { name: 'The chosen task' }));
    await beside.findByRole('heading', { name: 'prep-1' });
    beside.getByText('exit code 3');
    expect(beside.getByRole('alert').textContent).toMatch(/^See its log\./);
  });

  it('leads on from nothing', async () => {
    const page = attach(new TasksPage(createTestApp().app));
    await page.findByText(/No tasks yet/);
    expect(page.getAllByRole('button', { name: 'Run a task' })).toHaveLength(2);
  });
});

describe('the page of a task', () => {
  it('shows exception, usage and what was asked for; its title is its name', async () => {
    const task = testTask({
      name: 'score',
      state: 'FAILED',
      error,
      exception: { type: 'ValueError', message: 'no well', traceback: 'Traceback …\nValueError: no well' },
      usage: { wall: 2, cpu: 3, maxRss: 2 ** 30, read: 0, written: 0, gpuUtil: null, gpuMemoryPeak: null },
    });
    const { app } = createTestApp({ picture: { tasks: [task] } });
    const widget = new TaskPage(app, task.id);
    const page = attach(widget);
    const exception = await page.findByRole('region', { name: 'Exception' });
    expect(exception.textContent).toContain('ValueError: no well');
    expect(page.getByRole('table', { name: 'What it has used' }).textContent).toContain('1 GiB');
    expect(page.getByRole('table', { name: 'What was asked for' }).textContent).toContain('true');
    expect(widget.title.label).toBe('score');
  });
});

describe('why', () => {
  it('adds what was seen and repeats nothing', () => {
    expect(
      newEvidence(['2 of 8 GPUs are free.', 't.17 holds 4', 't.17 holds 4'], 'Waits: 2 of 8 GPUs are free'),
    ).toEqual(['t.17 holds 4']);
  });
});
