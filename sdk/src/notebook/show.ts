import { accessOf } from '../client/handles/access.js';
import type { AnyHandle } from '../client/types.js';
import { newId } from '../ids/ids.js';
import { renderBundle } from '../views/bundle.js';
import { detectDisplay, isHeadless } from './display.js';
import { KernelView, recordWithText, settled } from './kernel-view.js';

/**
 * Shows a pilot, task, task set, service, answer or batch in the cell, live: with tokens as they come, Stop, and timing at
 * the end, which the saved notebook keeps. Returns at once; a cell never blocks for a queue.
 *
 * Where nobody sits in front of the notebook (nbconvert, nbclient) the cell is held until an answer, task, task set or batch is
 * final, so that the executed notebook has it; pilots and services never hold a cell. Outside notebooks the text is printed, of
 * answers, tasks and task sets when they are final.
 *
 * @returns nothing to wait for in a notebook that somebody looks at; otherwise a promise that never rejects
 * @example
 * ```ts
 * show(llm.chat('What does ionizing radiation do to DNA?', { maxTokens: 120 }));
 * ```
 */
export function show(handle: AnyHandle): Promise<void> | undefined {
  accessOf(handle);
  const display = detectDisplay();
  if (!display) return print(handle);
  const { finished } = new KernelView(handle, display, newId('view'));
  if (!isHeadless() || !ends(handle)) return undefined;
  if (!display.hold) return heldCell(finished);
  display.hold(finished);
  return undefined;
}

/** Whether it comes to an end by itself, so that waiting for it makes sense. */
function ends(handle: AnyHandle): boolean {
  return handle.kind !== 'pilot' && handle.kind !== 'service';
}

/** As a cell's last value it makes Deno's kernel wait, which asks it how to be displayed; it can be awaited as well. */
function heldCell(finished: Promise<void>): Promise<void> {
  return Object.assign(
    finished.then(() => undefined),
    {
      async [Symbol.for('Jupyter.display')](): Promise<Readonly<Record<string, string>>> {
        await finished;
        // The view is shown already; a result without any form makes nbconvert complain.
        return { 'text/plain': '' };
      },
    },
  );
}

async function print(handle: AnyHandle): Promise<void> {
  await accessOf(handle).identified();
  if (ends(handle)) await settled(handle);
  console.log(renderBundle(recordWithText(handle, true), newId('view'))['text/plain']);
}
