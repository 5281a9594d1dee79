import { type INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { Language } from '../format/snippets.js';

/** Where code goes. */
export interface NotebookTarget {
  /** Language of the notebook's kernel; null when there is no notebook, or none that we write code for. */
  readonly language: Language | null;
  /** Name of the notebook's kernel, for saying that there is no code for it. */
  readonly kernelName: string | null;
  /** Puts code into a new cell below the active one and shows it; false when no notebook is open. */
  insert(code: string): boolean;
}

/** The notebook used last, through JupyterLab's tracker of notebooks. */
export class TrackedNotebook implements NotebookTarget {
  /** @param bringUp - Brings a panel to the front by its id: one behind a page would take the code unseen. */
  constructor(
    private readonly tracker: INotebookTracker | null,
    private readonly bringUp: (id: string) => void,
  ) {}

  get language(): Language | null {
    const panel = this.tracker?.currentWidget ?? null;
    return panel === null ? null : languageOf(panel);
  }

  get kernelName(): string | null {
    const panel = this.tracker?.currentWidget ?? null;
    return panel === null ? null : kernelOf(panel).name;
  }

  insert(code: string): boolean {
    const panel = this.tracker?.currentWidget ?? null;
    if (panel === null) return false;
    const notebook = panel.content;
    const active = notebook.activeCell?.model;
    // An empty code cell is what somebody just made for this.
    const useActive = active?.type === 'code' && active.sharedModel.getSource().trim() === '';
    if (!useActive) NotebookActions.insertBelow(notebook);
    notebook.activeCell?.model.sharedModel.setSource(code);
    this.bringUp(panel.id);
    return true;
  }
}

/** Tells kernels apart: tslab and Deno both call their language TypeScript. */
function languageOf(panel: NotebookPanel): Language | null {
  const { name, language } = kernelOf(panel);
  if (/deno/i.test(name)) return 'deno';
  if (/python/i.test(language) || /python/i.test(name)) return 'python';
  if (/typescript|javascript/i.test(language) || /tslab/i.test(name)) return 'tslab';
  return null;
}

function kernelOf(panel: NotebookPanel): { name: string; language: string } {
  const { sessionContext, content } = panel;
  const spec = content.model?.getMetadata('kernelspec');
  const saved: { name?: unknown; language?: unknown } = typeof spec === 'object' && spec !== null ? spec : {};
  const name = sessionContext.session?.kernel?.name ?? saved.name ?? sessionContext.kernelPreference.name ?? '';
  const language = saved.language ?? content.model?.defaultKernelLanguage ?? '';
  return { name: String(name), language: String(language) };
}
