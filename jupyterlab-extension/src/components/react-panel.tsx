import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ReactNode } from 'react';
import { ActiveProvider, AppProvider } from '../hooks/context.js';
import type { IPilothouse } from '../tokens.js';

/** A JupyterLab widget whose content stops updating while nobody sees it. */
export abstract class ReactPanel extends ReactWidget {
  private readonly onVisibility = (): void => this.update();

  constructor(protected readonly app: IPilothouse) {
    super();
    this.addClass('ph-Panel');
    document.addEventListener('visibilitychange', this.onVisibility);
  }

  override dispose(): void {
    document.removeEventListener('visibilitychange', this.onVisibility);
    super.dispose();
  }

  /** Leads into a form that was not there yet when its dialog opened. */
  protected focusFirst(): void {
    requestAnimationFrame(() => {
      requestAnimationFrame(() => this.node.querySelector<HTMLElement>('input, select')?.focus());
    });
  }

  /** What the panel shows. */
  protected abstract content(): ReactNode;

  protected override render(): JSX.Element {
    return (
      <AppProvider value={this.app}>
        <ActiveProvider value={this.isVisible && document.visibilityState !== 'hidden'}>
          {this.content()}
        </ActiveProvider>
      </AppProvider>
    );
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }
}
