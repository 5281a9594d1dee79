import type { ViewBundle } from '../schemas/index.js';

/** How the kernel that we are in shows things in cells. */
export interface Display {
  /** Shows a bundle in the running cell, or replaces (`update`) what was shown under the same id, in whichever cell. */
  show(bundle: ViewBundle, displayId: string, update: boolean): Promise<void>;
  /** Keeps the running cell from ending before the promise settles; null where the kernel cannot. */
  readonly hold: ((promise: Promise<void>) => void) | null;
}

/** Set by the tslab launcher of our kernelspec. */
interface DisplayHook {
  display(bundle: ViewBundle, options: { readonly displayId: string; readonly update: boolean }): void;
  hold?(promise: Promise<void>): void;
}

interface DenoJupyter {
  broadcast(type: string, content: object): Promise<void>;
}

/** The display of this kernel; null outside notebooks. */
export function detectDisplay(): Display | null {
  const hook: unknown = Reflect.get(globalThis, Symbol.for('pilothouse.display'));
  if (isHook(hook)) return hookDisplay(hook);
  const deno: unknown = Reflect.get(globalThis, 'Deno');
  if (typeof deno === 'object' && deno !== null && 'jupyter' in deno && isDenoJupyter(deno.jupyter)) {
    return denoDisplay(deno.jupyter);
  }
  return null;
}

/** Whether nobody sits in front of the notebook: Jupyter's server names the notebook to its kernels, nbclient does not. */
export function isHeadless(): boolean {
  const { process } = globalThis;
  return !process?.env?.JPY_SESSION_NAME;
}

function hookDisplay(hook: DisplayHook): Display {
  const { hold } = hook;
  return {
    async show(bundle, displayId, update) {
      hook.display(bundle, { displayId, update });
    },
    hold: hold ? (promise) => hold.call(hook, promise) : null,
  };
}

function denoDisplay(jupyter: DenoJupyter): Display {
  return {
    show: (bundle, displayId, update) =>
      jupyter.broadcast(update ? 'update_display_data' : 'display_data', {
        data: bundle,
        metadata: {},
        transient: { display_id: displayId },
      }),
    hold: null,
  };
}

function isHook(value: unknown): value is DisplayHook {
  return typeof value === 'object' && value !== null && 'display' in value && typeof value.display === 'function';
}

function isDenoJupyter(value: unknown): value is DenoJupyter {
  return typeof value === 'object' && value !== null && 'broadcast' in value && typeof value.broadcast === 'function';
}
