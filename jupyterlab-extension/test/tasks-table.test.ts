import { nullTranslator } from '@jupyterlab/translation';
import type { TaskRow, TaskRows, TaskState } from '@pilothouse/sdk/internal';
import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { taskColumns } from '../src/tasks/columns.js';
import type { Query } from '../src/tasks/row-order.js';
import { AT } from '../src/tasks/row-store.js';
import { TaskTable } from '../src/tasks/task-table.js';

const columns = taskColumns(nullTranslator.load('pilothouse'));
const everything: Query = { text: '', states: new Set(), set: null, group: 'none', sort: null, closed: new Set() };

function row(n: number, state: TaskState, changes: { set?: string | null; name?: string } = {}): TaskRow {
  const { set = 'set-a', name = `t-${n}` } = changes;
  return [`${set ?? 'task'}.${n}`, name, set, state, null, n, null, 1, 1, 0, n, null, null, null];
}

function batch(rows: TaskRow[], changes: Partial<TaskRows> = {}): TaskRows {
  return { epoch: 1, seq: 1, reset: false, more: false, removed: [], rows, ...changes };
}

function open(query: Partial<Query> = {}) {
  const rows = new Subject<TaskRows>();
  const table = new TaskTable(
    () => rows,
    { ...everything, ...query },
    () => ({ now: 1000, setName: (id) => id.replace('set-', ''), pilotName: (id) => id }),
  );
  table.visible = true;
  const names = (): string[] =>
    Array.from({ length: table.order.length }, (_, place) => {
      const group = table.order.groupAt(place);
      return group === null ? (table.order.rowAt(place)?.[AT.name] ?? '?') : `[${group.key} ${group.size}]`;
    });
  return { rows, table, names };
}

const column = (id: string) => {
  const found = columns.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no column ${id}`);
  return found;
};

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

describe('the table of tasks', () => {
  it('shows rows as they come, and changes them in place', () => {
    const { rows, table, names } = open();
    rows.next(batch([row(0, 'RUNNING'), row(1, 'WAITING')], { reset: true }));
    vi.advanceTimersByTime(1000);
    expect(names()).toEqual(['t-0', 't-1']);
    rows.next(batch([row(0, 'DONE')]));
    vi.advanceTimersByTime(50);
    expect(table.summary.counts).toEqual(
      new Map([
        ['WAITING', 1],
        ['DONE', 1],
      ]),
    );
    expect(table.order.rowAt(0)?.[AT.state]).toBe('DONE');
  });

  it('moves nothing while the pointer is over it, and says how many changes wait', () => {
    const { rows, table, names } = open({ states: new Set(['RUNNING']) });
    rows.next(batch([row(0, 'RUNNING'), row(1, 'RUNNING'), row(2, 'WAITING')], { reset: true }));
    vi.advanceTimersByTime(1000);
    table.held = true;
    rows.next(batch([row(0, 'DONE'), row(2, 'RUNNING')]));
    vi.advanceTimersByTime(5000);
    expect(names()).toEqual(['t-0', 't-1']);
    expect(table.summary.changes).toBe(2);
    table.held = false;
    vi.advanceTimersByTime(1000);
    expect(names()).toEqual(['t-1', 't-2']);
    expect(table.summary.changes).toBe(0);
  });

  it('groups by set, the newest first, and by state, what needs attention first', () => {
    const { rows, table, names } = open({ group: 'set' });
    rows.next(
      batch([row(0, 'DONE'), row(5, 'RUNNING', { set: 'set-b' }), row(1, 'FAILED'), row(9, 'DONE', { set: null })], {
        reset: true,
      }),
    );
    vi.advanceTimersByTime(1000);
    expect(names()).toEqual(['[ 1]', 't-9', '[set-b 1]', 't-5', '[set-a 2]', 't-0', 't-1']);
    table.ask({ closed: new Set(['set:set-a']) });
    expect(names()).toEqual(['[ 1]', 't-9', '[set-b 1]', 't-5', '[set-a 2]']);
    table.ask({ group: 'state', closed: new Set() });
    expect(names()).toEqual(['[FAILED 1]', 't-1', '[RUNNING 1]', 't-5', '[DONE 2]', 't-0', 't-9']);
  });

  it('sorts names the way people count, both ways', () => {
    const { rows, table, names } = open();
    rows.next(
      batch(
        [10, 9, 2].map((n) => row(n, 'DONE')),
        { reset: true },
      ),
    );
    table.ask({ sort: { column: column('name'), descending: false } });
    expect(names()).toEqual(['t-2', 't-9', 't-10']);
    table.ask({ sort: { column: column('name'), descending: true } });
    expect(names()).toEqual(['t-10', 't-9', 't-2']);
  });

  it('keeps what is chosen with its rows, also when everything comes anew', () => {
    const { rows, table } = open();
    rows.next(batch([row(0, 'DONE'), row(1, 'DONE')], { reset: true }));
    vi.advanceTimersByTime(1000);
    const slot = table.order.slotAt(1);
    if (slot !== null) table.selection.only(slot);
    rows.next(batch([row(7, 'DONE')], { reset: true, more: true }));
    rows.next(batch([row(1, 'DONE')]));
    vi.advanceTimersByTime(1000);
    expect(table.chosenIds()).toEqual(['set-a.1']);
    rows.next(batch([], { removed: ['set-a.1'] }));
    vi.advanceTimersByTime(1000);
    expect(table.chosenIds()).toEqual([]);
    expect(table.order.length).toBe(1);
  });

  it('puts 100,000 rows in order within a frame', () => {
    vi.useRealTimers();
    const { rows, table } = open({ group: 'set', states: new Set(['RUNNING']) });
    const all = Array.from({ length: 100_000 }, (_, n) => row(n, n % 50 === 0 ? 'RUNNING' : 'DONE'));
    rows.next(batch(all, { reset: true }));
    table.reorder();
    expect(table.order.matching).toBe(2000);
    expect(table.order.cheap).toBe(true);
    table.dispose();
  });
});
