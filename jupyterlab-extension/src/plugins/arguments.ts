import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { shortId } from '@pilothouse/sdk/internal';
import { stateWord } from '../format/state.js';
import { isThingKind, liveThings, pickWords, type ThingKind } from '../things.js';
import type { IPilothouse } from '../tokens.js';

/**
 * Which thing a command is about: the one named in its arguments, the row under the context menu, the only live one,
 * or the one a user picks. Null: nothing was picked.
 */
export async function argument(
  app: JupyterFrontEnd,
  { session, trans }: IPilothouse,
  kind: ThingKind,
  args: ReadonlyPartialJSONObject,
): Promise<string | null> {
  if (typeof args.id === 'string') return args.id;
  // The palette knows nothing of the row that some menu was opened on before.
  const row = args.isPalette === true ? null : rowUnderMenu(app);
  if (row !== null && row.kind === kind) return row.id;
  const live = liveThings(session.picture, kind);
  if (live.length === 1) return live[0]?.id ?? null;
  const { title, none } = pickWords(kind, trans);
  if (live.length === 0) {
    await InputDialog.getItem({ title, items: [none] });
    return null;
  }
  const items = live.map((one) => `${one.name} (${stateWord(one.state)}, ${shortId(one.id)})`);
  const picked = await InputDialog.getItem({ title, items });
  return live[items.indexOf(picked.value ?? '')]?.id ?? null;
}

/** The row on which the context menu was opened; null when there is none. */
export function rowUnderMenu(app: JupyterFrontEnd): { readonly kind: ThingKind; readonly id: string } | null {
  const node = app.contextMenuHitTest((candidate) => candidate.dataset.phId !== undefined);
  const { phId, phKind } = node?.dataset ?? {};
  if (phId === undefined || !isThingKind(phKind)) return null;
  return { kind: phKind, id: phId };
}
