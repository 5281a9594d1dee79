import { type IRenderMimeRegistry, MimeModel } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import { useEffect, useLayoutEffect, useRef } from 'react';

const MIME = 'text/markdown';
/** Shortest time between two renderings while text comes in. */
const PERIOD_MS = 60;
/** Longest time between two: the first drawing may have loaded the renderer, and says nothing about the next. */
const LONGEST_MS = 500;

/**
 * Text as Markdown by JupyterLab's own renderer, through its sanitiser. While it grows it is drawn again at a pace that
 * leaves most of the time to everything else, and never gets lower, so that nothing below it jumps.
 */
export function MarkdownText(props: {
  readonly rendermime: IRenderMimeRegistry;
  readonly text: string;
  readonly streaming: boolean;
}): JSX.Element {
  const { rendermime, text, streaming } = props;
  const host = useRef<HTMLDivElement>(null);
  const painter = useRef<Painter | null>(null);
  // Before the page is painted and, at the end, while the host is still in it: a widget cannot leave a page it is not in.
  useLayoutEffect(() => {
    if (host.current === null) return undefined;
    const current = new Painter(rendermime, host.current);
    painter.current = current;
    return () => {
      painter.current = null;
      current.dispose();
    };
  }, [rendermime]);
  useEffect(() => {
    painter.current?.show(text, streaming);
  }, [text, streaming]);
  return <div ref={host} className={streaming ? 'ph-Markdown ph-mod-streaming' : 'ph-Markdown'} />;
}

/** Draws the newest text, one drawing at a time. */
class Painter {
  private readonly renderer;
  private wanted: { text: string; streaming: boolean } | null = null;
  private busy = false;
  private disposed = false;
  private height = 0;
  private endPause: (() => void) | null = null;

  constructor(
    rendermime: IRenderMimeRegistry,
    private readonly host: HTMLElement,
  ) {
    this.renderer = rendermime.createRenderer(MIME);
    // Mathematics is set only in what is attached the regular way, which needs a host in the page.
    if (host.isConnected) Widget.attach(this.renderer, host);
    else host.append(this.renderer.node);
  }

  show(text: string, streaming: boolean): void {
    this.wanted = { text, streaming };
    // The last text is not kept waiting for the pace of the ones before it.
    if (!streaming) this.endPause?.();
    if (!this.busy) void this.paint();
  }

  dispose(): void {
    this.disposed = true;
    // The host may have been taken out of the page with everything around it; then there is nothing to leave.
    if (this.renderer.isAttached && !this.renderer.node.isConnected) this.renderer.clearFlag(Widget.Flag.IsAttached);
    this.renderer.dispose();
  }

  private async paint(): Promise<void> {
    this.busy = true;
    while (this.wanted !== null && !this.disposed) {
      const { text, streaming } = this.wanted;
      this.wanted = null;
      const begun = performance.now();
      await this.renderer.renderModel(new MimeModel({ data: { [MIME]: text }, trusted: false }));
      this.keepHeight(streaming);
      if (!streaming) continue;
      const took = performance.now() - begun;
      // A text that has ended while this one was drawn is drawn at once.
      if (this.hasEnd()) continue;
      await this.pause(Math.min(Math.max(PERIOD_MS, 2 * took), LONGEST_MS));
    }
    this.busy = false;
  }

  private hasEnd(): boolean {
    return this.wanted?.streaming === false;
  }

  private async pause(duration: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, duration);
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.endPause = null;
  }

  private keepHeight(streaming: boolean): void {
    this.height = streaming ? Math.max(this.height, this.renderer.node.offsetHeight) : 0;
    this.host.style.minHeight = this.height > 0 ? `${this.height}px` : '';
  }
}
