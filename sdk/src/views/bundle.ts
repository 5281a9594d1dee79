import { type AnyRecord, VIEW_MIME, type ViewBundle } from '../schemas/index.js';
export function renderBundle(record: AnyRecord, viewId: string): ViewBundle {
  return {
    [VIEW_MIME]: { v: 1, viewId, kind: record.kind, target: record.id, snapshot: record },
    'text/html': '',
    'text/plain': '',
  };
}
