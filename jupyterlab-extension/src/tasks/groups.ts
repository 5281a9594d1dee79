import { stateWord } from '../format/state.js';
import type { TaskTable } from './task-table.js';

/** What stands in the row of a group: `▾ preprocess (1,000)`. */
export function groupTitle(
  group: { readonly key: string; readonly size: number; readonly open: boolean },
  name: (key: string) => string,
): string {
  return `${group.open ? '▾' : '▸'} ${name(group.key)} (${group.size.toLocaleString()})`;
}

/** Names of the groups of a table: the set's, or the word for the state. */
export function groupNames(table: TaskTable, setName: (id: string) => string, single: string): (key: string) => string {
  return (key) => (table.query.group === 'state' ? stateWord(key) : key === '' ? single : setName(key));
}
