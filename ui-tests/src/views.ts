import { VIEW_MIME, type View, viewSchema } from '../../sdk/lib/internal.js';
import { bundles, type SavedCell } from './notebook-file.js';

/** The views of Pilothouse that a saved cell holds. */
export function savedViews(cell: SavedCell | undefined): View[] {
  return bundles(cell).flatMap((bundle) => (VIEW_MIME in bundle ? [viewSchema.parse(bundle[VIEW_MIME])] : []));
}

/** The one answer that a saved cell shows, as it stood when the notebook was saved. */
export function savedAnswer(cell: SavedCell | undefined) {
  const [view, ...more] = savedViews(cell);
  if (view === undefined || more.length > 0) throw new Error(`The cell holds ${more.length + (view ? 1 : 0)} views`);
  if (view.snapshot.kind !== 'answer') throw new Error(`The cell holds a ${view.snapshot.kind}, not an answer`);
  return view.snapshot;
}
