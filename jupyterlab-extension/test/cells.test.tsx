import { MimeModel } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import { newId, renderBundle, VIEW_MIME, type ViewBundle } from '@pilothouse/sdk/internal';
import { testAnswer } from '@pilothouse/sdk/testing';
import { waitFor, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ViewRenderer } from '../src/cells/renderer.js';
import { createTestApp } from './support/app.js';

const sanitizer = { sanitize: (html: string) => html.replaceAll('script', '') };
const open: ViewRenderer[] = [];

afterEach(() => {
  for (const renderer of open.splice(0)) renderer.dispose();
});

function bundleOf(record: Parameters<typeof renderBundle>[0]): { viewId: string; bundle: ViewBundle } {
  const viewId = newId('view');
  return { viewId, bundle: renderBundle(record, viewId) };
}

async function renderIn(app: Parameters<typeof createRenderer>[0], data: object, trusted = true) {
  const renderer = createRenderer(app);
  const setData = vi.fn();
  const model = new MimeModel({ data: JSON.parse(JSON.stringify(data)), trusted, callback: setData });
  await renderer.renderModel(model);
  return { renderer, model, setData, page: within(renderer.node) };
}

function createRenderer(app: ConstructorParameters<typeof ViewRenderer>[0]): ViewRenderer {
  const renderer = new ViewRenderer(app, sanitizer);
  Widget.attach(renderer, document.body);
  open.push(renderer);
  return renderer;
}

describe('a view in a cell', () => {
  it('follows an answer and writes the final bundle once', async () => {
    const answer = testAnswer({ state: 'STREAMING', text: null, timing: null, usage: null });
    const { app, controls } = createTestApp({ picture: { answers: [answer] } });
    const { bundle, viewId } = bundleOf(answer);
    const { page, setData } = await renderIn(app, bundle);
    await page.findByRole('button', { name: 'Stop' });
    controls.put(testAnswer({ id: answer.id, state: 'DONE', text: 'It breaks strands.' }));
    await page.findByText('It breaks strands.');
    await waitFor(() => expect(setData).toHaveBeenCalled());
    const written = setData.mock.calls.at(0)?.[0].data;
    expect(written[VIEW_MIME]).toMatchObject({ viewId, target: answer.id, snapshot: { state: 'DONE' } });
    expect(written['text/html']).toContain('DONE');
    expect(setData).toHaveBeenCalledTimes(1);
    expect(page.queryByRole('button', { name: 'Stop' })).toBeNull();
  });

  it('only reads in an untrusted notebook', async () => {
    const answer = testAnswer({ state: 'STREAMING', text: null, timing: null, usage: null });
    const { app, controls } = createTestApp({ picture: { answers: [answer] } });
    const { page, setData } = await renderIn(app, bundleOf(answer).bundle, false);
    await page.findByText(/not trusted/);
    controls.put(testAnswer({ id: answer.id, state: 'DONE', text: 'Done.' }));
    await page.findByText('Done.');
    expect(page.queryByRole('button', { name: /Stop|Retry/ })).toBeNull();
    expect(setData).not.toHaveBeenCalled();
  });

  it('keeps what was saved when Pilothouse no longer knows it', async () => {
    const { app } = createTestApp();
    const answer = testAnswer({ state: 'STREAMING', text: 'So far', timing: null, usage: null });
    const { page } = await renderIn(app, bundleOf(answer).bundle);
    await page.findByText(/no longer knows/);
    page.getByText('So far');
  });

  it('shows the saved HTML of a view that it cannot read, sanitised', async () => {
    const { app } = createTestApp();
    const { renderer } = await renderIn(app, { [VIEW_MIME]: { v: 99 }, 'text/html': '<b>old</b><script>' });
    await waitFor(() => expect(renderer.node.textContent).toContain('old'));
    expect(renderer.node.querySelector('script')).toBeNull();
  });

  it('says the remedy first when an answer failed, and offers Retry', async () => {
    const { app } = createTestApp();
    const failed = testAnswer({
      state: 'FAILED',
      text: 'Half',
      error: { code: 'STREAM_CUT', message: 'the stream ended early', hint: 'ask again', retryable: true, ids: {} },
    });
    const { page } = await renderIn(app, bundleOf(failed).bundle);
    const alert = await page.findByRole('alert');
    expect(alert.textContent).toMatch(/^Ask again\..*The stream ended early\..*STREAM_CUT/);
    page.getByRole('button', { name: 'Retry' });
  });
});
