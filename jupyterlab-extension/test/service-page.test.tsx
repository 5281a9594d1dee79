import { Widget } from '@lumino/widgets';
import { testAnswer, testBatch, testInstance, testService } from '@pilothouse/sdk/testing';
import { fireEvent, waitFor, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ReactPanel } from '../src/components/react-panel.js';
import { BatchPage } from '../src/pages/batch-page.js';
import { ServicePage } from '../src/pages/service-page.js';
import { chartData, stacked } from '../src/service/chart-data.js';
import { CommandIDs } from '../src/tokens.js';
import { createTestApp } from './support/app.js';

// What it draws on, a canvas, is not there; what it is given is looked at below.
vi.mock('uplot', () => ({
  default: class {
    setData() {}
    setSize() {}
    destroy() {}
  },
}));

// JupyterLab's form component is a module that only a bundler resolves; the browser tests use the real one.
vi.mock('../src/dialogs/schema-form.js', () => ({
  SchemaForm: (props: { value: object; onChange: (value: object) => void }) => (
    <label>
      Dose
      <input onChange={(event) => props.onChange({ ...props.value, dose: Number(event.target.value) })} />
    </label>
  ),
}));

const open: ReactPanel[] = [];

afterEach(() => {
  for (const page of open.splice(0)) page.dispose();
});

function openPage(page: ReactPanel) {
  open.push(page);
  Widget.attach(page, document.body);
  return within(page.node);
}

const FIT = {
  name: 'fit',
  description: 'Fits a curve.',
  input: {
    type: 'object',
    required: ['dose'],
    properties: { dose: { type: 'number', title: 'Dose' }, label: { type: 'string', title: 'Label' } },
  },
  output: { type: 'object' },
  chunk: null,
};

describe('the page of a service', () => {
  it('shows instances with probes, load and loading, and what can be done', async () => {
    const now = new Date().toISOString();
    const service = testService({
      name: 'llm',
      state: 'DEGRADED',
      scale: { min: 1, max: 4, wanted: 3, why: '2 → 3: 14 requests for 2 instances', since: now },
      instances: [
        testInstance({
          index: 1,
          probes: {
            readiness: { ok: true, at: now, latency: 3, text: '200' },
            liveness: { ok: false, at: now, latency: 9, text: 'timed out' },
          },
          load: {
            outstanding: 2,
            p50: 84,
            ejectedUntil: new Date(Date.now() + 60_000).toISOString(),
            why: '3 failures',
          },
        }),
        testInstance({ index: 2, state: 'INITIALIZING', progress: { text: 'Loading weights', share: 0.25 } }),
      ],
    });
    const { app, executed } = createTestApp({ picture: { services: [service] } });
    app.commands.addCommand(CommandIDs.restartService, { execute: () => null });
    const page = openPage(new ServicePage(app, service.id));
    const table = within(await page.findByRole('table', { name: 'Instances of llm' }));
    expect(table.getAllByText('passed in 3 ms')).toHaveLength(2);
    table.getByText('failed: timed out');
    table.getByText(/2 answering · 84 ms an answer/);
    table.getByText(/left out for .*3 failures/);
    const loading = table.getByRole('progressbar', { name: 'Loading of instance 2' });
    expect(loading.getAttribute('aria-valuenow')).toBe('25');
    page.getByText('scaled 2 → 3: 14 requests for 2 instances');
    fireEvent.click(table.getAllByRole('button', { name: 'Restart' })[0] ?? document.body);
    expect(executed.at(-1)).toEqual({
      command: CommandIDs.restartService,
      args: { kind: 'service', id: service.id, instance: 1 },
    });
    for (const name of ['Scale', 'Drain', 'Restart', 'Stop']) page.getAllByRole('button', { name });
    const endpoints = within(page.getByRole('table', { name: 'Endpoints of llm' }));
    endpoints.getByRole('button', { name: 'Copy the address of http, instance 1' });
  });

  it('asks for vectors and says their dimension', async () => {
    const service = testService({ name: 'llm' });
    const { app } = createTestApp({
      picture: { services: [service] },
      reply: () => [
        [0.6, 0.8, 0],
        [1, 0, 0],
      ],
    });
    const page = openPage(new ServicePage(app, service.id));
    fireEvent.click(await page.findByRole('tab', { name: 'Embedding' }));
    fireEvent.click(page.getByRole('button', { name: 'Send' }));
    await page.findByText(/2 vectors · dimension 3/);
    await page.findByText('0.6, 0.8, 0');
  });

  it('makes a form of what a method takes, and calls it', async () => {
    const service = testService({ name: 'curves', api: 'zeromq', model: null, methods: [FIT] });
    const asked: unknown[] = [];
    const { app } = createTestApp({
      picture: { services: [service] },
      reply: (request) => {
        asked.push(request);
        return { ec50: 1.5 };
      },
    });
    const page = openPage(new ServicePage(app, service.id));
    fireEvent.change(await page.findByLabelText(/^Dose/), { target: { value: '2.5' } });
    fireEvent.click(page.getByRole('button', { name: 'Send' }));
    const value = within(await page.findByRole('table', { name: 'Value' }));
    value.getByRole('rowheader', { name: 'ec50' });
    value.getByText('1.5');
    expect(asked).toEqual([{ op: 'call', method: 'fit', input: { dose: 2.5 }, stream: false }]);
  });

  it('searches what was asked and opens it', async () => {
    const service = testService({ name: 'llm' });
    const of = (content: string) =>
      testAnswer({
        state: 'DONE',
        service: { id: service.id, name: 'llm' },
        request: { op: 'chat', messages: [{ role: 'user', content }] },
        text: `About ${content}`,
      });
    const { app } = createTestApp({ picture: { services: [service], answers: [of('neutrons'), of('muons')] } });
    const page = openPage(new ServicePage(app, service.id));
    const list = await page.findByRole('list', { name: 'Requests to llm' });
    await waitFor(() => expect(within(list).getAllByRole('listitem')).toHaveLength(2));
    fireEvent.change(page.getByRole('searchbox'), { target: { value: 'muons' } });
    await waitFor(() => expect(within(list).getAllByRole('listitem')).toHaveLength(1));
    fireEvent.click(within(list).getByRole('button', { name: /muons/ }));
    await within(list).findByRole('region', { name: 'Answer of llm' });
    await within(list).findByRole('button', { name: 'Ask again' });
  });
});

describe('the page of a batch', () => {
  it('tells failures first, then how far it is', async () => {
    const batch = testBatch({
      name: 'prompts',
      progress: { total: 100, done: 40, failed: 2, kept: 10, inFlight: 8, rate: 4.5, eta: null, tokens: 900 },
      failures: [{ key: '17', code: 'CONTEXT_EXCEEDED', message: 'the prompt is too long' }],
    });
    const { app } = createTestApp({ picture: { batches: [batch] } });
    const page = openPage(new BatchPage(app, batch.id));
    const bar = await page.findByRole('progressbar', { name: 'Progress of prompts' });
    expect(bar.getAttribute('aria-valuetext')).toBe('42 of 100 rows done, 2 failed');
    const failures = page.getByRole('list', { name: 'Failed rows' });
    expect(failures.textContent).toMatch(/row 17.*too long.*CONTEXT_EXCEEDED/);
    expect(failures.compareDocumentPosition(bar) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy();
    page.getByText('10 from before');
    page.getByText('4.5/s');
  });
});

describe('charts', () => {
  it('stack the parts of the response time, with gaps where nothing was asked', () => {
    const at = new Date(0).toISOString();
    const bucket = {
      at,
      count: 4,
      failed: 1,
      p50: 10,
      p99: 20,
      communication: 1,
      queue: 2,
      service: 3,
      inference: 4,
      queued: 5,
    };
    const data = chartData({ step: 2, buckets: [bucket, { ...bucket, count: 0 }] });
    expect(data.rate.map(({ values }) => values[0])).toEqual([2, 0.5]);
    expect(stacked(data.parts).map(({ values }) => values)).toEqual([
      [1, null],
      [3, null],
      [6, null],
      [10, null],
    ]);
  });
});
