import { Dialog } from '@jupyterlab/apputils';
import type { ReactPanel } from '../components/react-panel.js';

/** The inside of a {@link FormDialog}. */
export interface FormBody extends ReactPanel {
  /** Tries to do what the dialog is for; resolves with whether it worked. It shows by itself what went wrong. */
  submit(): Promise<boolean>;
}

/** JupyterLab's dialog, which stays open until what it asks for has worked or is given up. */
export class FormDialog extends Dialog<unknown> {
  private busy = false;

  constructor(
    title: string,
    private readonly form: FormBody,
    labels: { readonly accept: string; readonly cancel: string },
  ) {
    super({
      title,
      body: form,
      buttons: [Dialog.cancelButton({ label: labels.cancel }), Dialog.okButton({ label: labels.accept })],
      defaultButton: 1,
      focusNodeSelector: 'select:not(:disabled), input:not(:disabled)',
    });
    this.addClass('ph-Dialog');
  }

  /** Enter belongs to the dialog, except where a part of the form has its own use for it. */
  override handleEvent(event: Event): void {
    if (event instanceof KeyboardEvent && event.key === 'Enter' && keepsEnter(event.target)) return;
    super.handleEvent(event);
  }

  override resolve(index?: number): void {
    if (index === 0) {
      super.resolve(index);
      return;
    }
    if (this.busy) return;
    this.busy = true;
    this.toggleClass('ph-mod-busy', true);
    void this.form.submit().then((done) => {
      this.busy = false;
      this.toggleClass('ph-mod-busy', false);
      if (done) super.resolve(index);
      // A refused form leads to the first field that needs attention.
      else this.node.querySelector<HTMLElement>('.ph-mod-invalid input, .ph-mod-invalid select')?.focus();
    });
  }
}

/** A text of several lines, a button of the form's own, or a part that says so. */
function keepsEnter(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement) || target.closest('.jp-Dialog-footer') !== null) return false;
  return target.matches('textarea, button, summary') || target.closest('[data-ph-enter=own]') !== null;
}
