import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { shortId } from '@pilothouse/sdk/internal';
import { isFinal, stateWord } from '../format/state.js';
import type { IPilothouse } from '../tokens.js';

/**
 * Which thing a command is about: the one named in its arguments, the row under the context menu, the only live one,
 * or the one a user picks. Null: nothing was picked.
 */
export async function argument(
  app: JupyterFrontEnd,
  { session, trans }: IPilothouse,
  kind: 'pilot' | 'service',
  args: ReadonlyPartialJSONObject,
): Promise<string | null> {
  if (typeof args.id === 'string') return args.id;
  const row = rowUnderMenu(app);
  if (row !== null && row.kind === kind) return row.id;
  const all = kind === 'pilot' ? session.picture.pilots : session.picture.services;
  const live = all.filter((one) => !isFinal(kind, one.state));
  if (live.length === 1) return live[0]?.id ?? null;
  const title = kind === 'pilot' ? trans.__('Which pilot?') : trans.__('Which service?');
  if (live.length === 0) {
    await InputDialog.getItem({
      title,
      items: [
        kind === 'pilot'
          ? trans.__('No pilot is live: make one first.')
          : trans.__('No service is live: start one first.'),
      ],
    });
    return null;
  }
  const items = live.map((one) => `${one.name} (${stateWord(one.state)}, ${shortId(one.id)})`);
  const picked = await InputDialog.getItem({ title, items });
  return live[items.indexOf(picked.value ?? '')]?.id ?? null;
}

/** The row on which the context menu was opened; null when there is none. */
export function rowUnderMenu(app: JupyterFrontEnd): { kind: 'pilot' | 'service'; id: string } | null {
  const node = app.contextMenuHitTest((candidate) => candidate.dataset.phId !== undefined);
  const { phId, phKind } = node?.dataset ?? {};
  if (phId === undefined || (phKind !== 'pilot' && phKind !== 'service')) return null;
  return { kind: phKind, id: phId };
}
