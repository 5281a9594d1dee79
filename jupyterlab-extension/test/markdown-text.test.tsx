import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { RenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import { act, render } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MarkdownText } from '../src/components/markdown-text.js';

/** A renderer that is slow at its first text, as JupyterLab's is while it loads what it needs. */
class SlowAtFirst extends Widget implements IRenderMime.IRenderer {
  private first = true;

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const text = String(model.data['text/markdown']);
    if (this.first) await new Promise((resolve) => setTimeout(resolve, 4000));
    this.first = false;
    this.node.textContent = text;
  }
}

function slowRegistry(): IRenderMimeRegistry {
  const registry = new RenderMimeRegistry();
  registry.addFactory({ mimeTypes: ['text/markdown'], safe: true, createRenderer: () => new SlowAtFirst() });
  return registry;
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

const pass = (time: number): Promise<void> => act(async () => void (await vi.advanceTimersByTimeAsync(time)));

describe('text that streams', () => {
  it('is drawn on soon after a first drawing that took long', async () => {
    const rendermime = slowRegistry();
    const page = render(<MarkdownText rendermime={rendermime} text="L" streaming />);
    await pass(4000);
    expect(page.container.textContent).toBe('L');
    page.rerender(<MarkdownText rendermime={rendermime} text="Lying" streaming />);
    await pass(500);
    expect(page.container.textContent).toBe('Lying');
  });

  it('is drawn at once when it has ended', async () => {
    const rendermime = slowRegistry();
    const page = render(<MarkdownText rendermime={rendermime} text="L" streaming />);
    await pass(4000);
    page.rerender(<MarkdownText rendermime={rendermime} text="Lying on the sea." streaming={false} />);
    await pass(0);
    expect(page.container.textContent).toBe('Lying on the sea.');
  });
});
