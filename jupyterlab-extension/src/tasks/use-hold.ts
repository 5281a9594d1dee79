import { useEffect, useMemo } from 'react';
import type { TaskTable } from './task-table.js';

/** Keeps rows in place while the pointer is over what gets these. */
export function useHold(table: TaskTable): {
  readonly onPointerEnter: () => void;
  readonly onPointerLeave: () => void;
} {
  useEffect(
    () => () => {
      table.held = false;
    },
    [table],
  );
  return useMemo(
    () => ({
      onPointerEnter: () => {
        table.held = true;
      },
      onPointerLeave: () => {
        table.held = false;
      },
    }),
    [table],
  );
}
