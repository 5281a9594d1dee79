import type { ReactNode } from 'react';
import { MarkdownText } from '../components/markdown-text.js';
import { ReactPanel } from '../components/react-panel.js';
import type { IPilothouse } from '../tokens.js';
import { HELP } from './texts.js';

/** Whether there is a help page of that name. */
export function isHelpPage(id: string): boolean {
  return Object.hasOwn(HELP, id);
}

/** Title of a help page. */
export function helpTitle(id: string): string {
  return HELP[id]?.title ?? 'Pilothouse help';
}

/** Help that comes with the extension, so that it is there without the internet. */
export class HelpPage extends ReactPanel {
  constructor(
    app: IPilothouse,
    readonly targetId: string,
  ) {
    super(app);
    this.addClass('ph-Page');
  }

  protected content(): ReactNode {
    const text = HELP[this.targetId]?.text ?? '';
    const { rendermime } = this.app;
    return rendermime === null ? (
      <pre>{text}</pre>
    ) : (
      <MarkdownText rendermime={rendermime} text={text} streaming={false} />
    );
  }
}
