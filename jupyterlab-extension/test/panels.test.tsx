import { Widget } from '@lumino/widgets';
import { PilothouseError } from '@pilothouse/sdk';
import { testPilot, testService, testTask } from '@pilothouse/sdk/testing';
import { fireEvent, waitFor, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Sidebar } from '../src/panels/sidebar.js';
import { UNDO_MS } from '../src/session/hidden.js';
import { CommandIDs } from '../src/tokens.js';
import { createTestApp } from './support/app.js';

const open: Sidebar[] = [];

afterEach(() => {
  vi.useRealTimers();
  for (const sidebar of open.splice(0)) sidebar.dispose();
});

async function openSidebar(app: ConstructorParameters<typeof Sidebar>[0]) {
  const sidebar = new Sidebar(app);
  open.push(sidebar);
  Widget.attach(sidebar, document.body);
  const page = within(sidebar.node);
  await page.findByRole('heading', { name: 'Pilothouse' });
  return page;
}

describe('the sidebar', () => {
  it('leads on from nothing', async () => {
    const { app } = createTestApp();
    const page = await openSidebar(app);
    await page.findByText(/No pilots yet/);
    page.getByText(/No services yet/);
    page.getByRole('button', { name: 'Try the demo' });
  });

  it('shows state by word, use as a meter, and why', async () => {
    const pilot = testPilot({
      name: 'train',
      usage: { cores: 1, gpus: 0, memory: 0, running: 3, waiting: 0, done: 0, failed: 0 },
    });
    const queued = testPilot({
      name: 'big',
      state: 'QUEUED',
      reason: { code: 'WAITS_FOR_CORES', text: 'Waits for 2 cores.', since: pilot.since },
    });
    const { app } = createTestApp({
      picture: { pilots: [pilot, queued], services: [testService({ name: 'llm' })], tasks: [testTask(), testTask()] },
    });
    const page = await openSidebar(app);
    const pilots = within(await page.findByRole('list', { name: 'Pilots' }));
    pilots.getByText('ACTIVE');
    pilots.getByText('QUEUED');
    expect(pilots.getByRole('meter', { name: 'cores' }).getAttribute('aria-valuetext')).toBe('1 of 2 in use');
    pilots.getByText(/Waits for 2 cores/);
    within(page.getByRole('list', { name: 'Services' })).getByText('READY');
    expect(within(page.getByRole('list', { name: 'Tasks' })).getAllByText('RUNNING')).toHaveLength(2);
  });

  it('opens a page by click and ends by key', async () => {
    const pilot = testPilot({ name: 'train' });
    const { app, executed } = createTestApp({ picture: { pilots: [pilot] } });
    for (const id of [CommandIDs.openPilot, CommandIDs.endPilot]) app.commands.addCommand(id, { execute: () => null });
    const page = await openSidebar(app);
    const name = await page.findByRole('button', { name: 'train' });
    fireEvent.click(name);
    fireEvent.keyDown(name, { key: 'Delete' });
    expect(executed).toEqual([
      { command: CommandIDs.openPilot, args: { id: pilot.id } },
      { command: CommandIDs.endPilot, args: { kind: 'pilot', id: pilot.id } },
    ]);
  });

  it('filters by name from eight rows on', async () => {
    const pilots = Array.from({ length: 8 }, (_, index) => testPilot({ name: `pilot-${index}` }));
    const { app } = createTestApp({ picture: { pilots } });
    const page = await openSidebar(app);
    fireEvent.change(await page.findByRole('searchbox', { name: 'Filter by name' }), { target: { value: '-3' } });
    await waitFor(() => expect(page.getAllByRole('listitem')).toHaveLength(1));
    page.getByRole('button', { name: 'pilot-3' });
  });

  it('says what failed and what to do when it is not connected', async () => {
    const { app, controls } = createTestApp();
    const page = await openSidebar(app);
    await page.findByText(/No pilots yet/);
    controls.disconnect(
      new PilothouseError('LAUNCHER_MISSING', 'there is no launcher.json', { hint: 'run npm start once' }),
    );
    const alert = await page.findByRole('alert', undefined, { timeout: 10_000 });
    expect(alert.textContent).toMatch(/^Run npm start once\..*launcher\.json.*LAUNCHER_MISSING/);
    fireEvent.click(page.getByRole('button', { name: 'Retry' }));
    await waitFor(() => expect(page.queryByRole('alert')).toBeNull());
    await page.findByText('connected');
  });
});

describe('connecting again', () => {
  it('stays connected where nothing was wrong', async () => {
    const { app, session } = createTestApp();
    await waitFor(() => expect(session.connection.state).toBe('CONNECTED'));
    await app.link.retry();
    await waitFor(() => expect(app.link.value.state).toBe('connected'));
  });
});

describe('hiding', () => {
  it('forgets only when the time to undo is over', async () => {
    const pilot = testPilot({ name: 'old', state: 'DONE' });
    const { app, session } = createTestApp({ picture: { pilots: [pilot] } });
    await waitFor(() => expect(session.picture.pilots).toHaveLength(1));
    vi.useFakeTimers();
    const forget = vi.spyOn(session, 'forget');
    app.hidden.hide({ kind: 'pilot', id: pilot.id });
    expect(app.hidden.ids.has(pilot.id)).toBe(true);
    expect(app.hidden.undo(pilot.id)).toBe(true);
    vi.advanceTimersByTime(2 * UNDO_MS);
    expect(forget).not.toHaveBeenCalled();
    app.hidden.hide({ kind: 'pilot', id: pilot.id });
    vi.advanceTimersByTime(UNDO_MS);
    expect(forget).toHaveBeenCalledWith({ kind: 'pilot', id: pilot.id });
    expect(app.hidden.undo(pilot.id)).toBe(false);
  });
});
