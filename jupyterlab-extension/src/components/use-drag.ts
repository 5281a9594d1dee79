import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';
import { type PointerEvent as ReactPointerEvent, useCallback } from 'react';
import { type Subject, snippet } from '../format/snippets.js';
import { useApp } from '../hooks/context.js';

const CELLS_MIME = 'application/vnd.jupyter.cells';
/** Pixels before a press becomes a drag. */
const THRESHOLD = 6;

/** Lets a row be dragged into a notebook, where it becomes a cell with its code. */
export function useCodeDrag(subject: Subject): (event: ReactPointerEvent<HTMLElement>) => void {
  const { notebook } = useApp();
  return useCallback(
    (event) => {
      if (event.button !== 0) return;
      const { clientX, clientY } = event;
      const stop = (): void => {
        document.removeEventListener('pointermove', move, true);
        document.removeEventListener('pointerup', stop, true);
      };
      const move = (moved: PointerEvent): void => {
        if (Math.hypot(moved.clientX - clientX, moved.clientY - clientY) < THRESHOLD) return;
        stop();
        const code = snippet(subject, notebook.language ?? 'python');
        const mimeData = new MimeData();
        mimeData.setData(CELLS_MIME, [
          { cell_type: 'code', source: code, metadata: {}, outputs: [], execution_count: null },
        ]);
        mimeData.setData('text/plain', code);
        const drag = new Drag({ mimeData, proposedAction: 'copy', supportedActions: 'copy' });
        void drag.start(moved.clientX, moved.clientY).then(() => drag.dispose());
      };
      document.addEventListener('pointermove', move, true);
      document.addEventListener('pointerup', stop, true);
    },
    [notebook, subject],
  );
}
