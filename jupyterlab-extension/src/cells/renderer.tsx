import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { PartialJSONObject } from '@lumino/coreutils';
import { VIEW_MIME, type View, type ViewBundle, viewSchema } from '@pilothouse/sdk/internal';
import type { ReactNode } from 'react';
import { ReactPanel } from '../components/react-panel.js';
import type { IPilothouse } from '../tokens.js';
import { CellView } from './cell-view.js';
import { LiveView } from './live-view.js';
import { retryAnswer } from './retry.js';

/** Draws the output of a cell that shows a pilot, a service, a task or an answer. */
export class ViewRenderer extends ReactPanel implements IRenderMime.IRenderer {
  private live: { readonly key: string; readonly trusted: boolean; readonly view: LiveView } | null = null;
  private model: IRenderMime.IMimeModel | null = null;
  private fallback = '';

  constructor(
    app: IPilothouse,
    private readonly sanitizer: IRenderMime.ISanitizer,
  ) {
    super(app);
    this.addClass('ph-Output');
  }

  /** Called again for each update of the output, our own final one included: what is shown already stays. */
  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.model = model;
    const parsed = viewSchema.safeParse(model.data[VIEW_MIME]);
    if (!parsed.success) {
      const html = model.data['text/html'];
      this.fallback = typeof html === 'string' ? this.sanitizer.sanitize(html) : '';
      this.release();
    } else this.present(parsed.data, model.trusted);
    this.update();
    await this.renderPromise;
  }

  override dispose(): void {
    this.release();
    super.dispose();
  }

  protected content(): ReactNode {
    const { live } = this;
    if (live === null) {
      // What the saved notebook holds as HTML, through JupyterLab's sanitiser.
      // biome-ignore lint/security/noDangerouslySetInnerHtml: sanitised above
      return <div dangerouslySetInnerHTML={{ __html: this.fallback }} />;
    }
    return <CellView key={live.key} view={live.view} readOnly={!live.trusted} onRetry={() => this.retry(live.view)} />;
  }

  private present(view: View, trusted: boolean): void {
    // A kernel may show a question before it has been taken; only then does it have an id to follow.
    const key = `${view.viewId} ${view.target}`;
    if (this.live?.key === key && this.live.trusted === trusted) {
      this.live.view.accept(view.snapshot);
      return;
    }
    this.release();
    const live = new LiveView(this.app, view, trusted, (bundle) => this.write(bundle));
    this.live = { key, trusted, view: live };
  }

  private write(bundle: ViewBundle): void {
    const { model } = this;
    if (model === null) return;
    const data: PartialJSONObject = JSON.parse(JSON.stringify(bundle));
    model.setData({ data, metadata: model.metadata });
  }

  private async retry(view: LiveView): Promise<void> {
    const { record } = view.value;
    if (record.kind === 'answer') this.write(await retryAnswer(this.app, record));
  }

  private release(): void {
    this.live?.view.close();
    this.live = null;
  }
}
