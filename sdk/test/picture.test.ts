import { describe, expect, it } from 'vitest';
import { PictureStore } from '../src/client/picture/picture-store.js';
import type { WatchBatch } from '../src/contract/index.js';
import type { TaskRecord } from '../src/schemas/index.js';
import { testAnswer, testTask } from '../src/testing/index.js';

const batch = (seq: number, tasks: TaskRecord[], rest: Partial<WatchBatch> = {}): WatchBatch => ({
  epoch: 1,
  seq,
  reset: false,
  pilots: [],
  tasks,
  services: [],
  sets: [],
  answers: [],
  batches: [],
  removed: [],
  ...rest,
});

describe('the picture', () => {
  it('never lets an older state replace a newer one of the same epoch', () => {
    const store = new PictureStore(() => 1);
    const task = testTask({ state: 'RUNNING', seq: 5 });
    const cell = store.tasks.put(task);
    store.apply(batch(4, [{ ...task, state: 'LAUNCHING', seq: 4 }]));
    expect(cell.record.state).toBe('RUNNING');
    store.apply(batch(6, [{ ...task, state: 'DONE', seq: 6 }]));
    expect(cell.record.state).toBe('DONE');
  });

  it('takes whatever the next bridge says, although it counts from the start', () => {
    let epoch = 1;
    const store = new PictureStore(() => epoch);
    const task = testTask({ state: 'RUNNING', seq: 500 });
    const cell = store.tasks.put(task);
    epoch = 2;
    store.tasks.put({ ...task, state: 'DONE', seq: 3 });
    expect(cell.record.state).toBe('DONE');
    store.apply(batch(2, [{ ...task, state: 'RUNNING', seq: 2 }], { reset: true, epoch: 2 }));
    expect(cell.record.state).toBe('DONE');
  });

  it('keeps what a call returned after the snapshot was taken, and lets go of what the snapshot does not name', () => {
    const store = new PictureStore(() => 1);
    const old = store.tasks.put(testTask({ seq: 1 }));
    const young = store.tasks.put(testTask({ seq: 9 }));
    store.apply(batch(8, [], { reset: true }));
    expect(store.picture.tasks.map(({ id }) => id)).toEqual([young.record.id]);
    expect(old.record).toMatchObject({ state: 'RUNNING', contact: { lost: true } });
  });

  it('shows the same handle alive again when the thing comes back', () => {
    const store = new PictureStore(() => 1);
    const task = testTask({ seq: 1 });
    const cell = store.tasks.put(task);
    store.apply(batch(8, [], { reset: true }));
    store.apply(batch(9, [{ ...task, seq: 9 }]));
    expect(cell.record.contact.lost).toBe(false);
    expect(store.tasks.put({ ...task, seq: 10 })).toBe(cell);
  });

  it('waits for the whole of a picture that comes in pieces, also when the connection breaks between them', () => {
    let epoch = 1;
    const store = new PictureStore(() => epoch);
    const tasks = [1, 2, 3].map((seq) => testTask({ seq }));
    const cells = tasks.map((task) => store.tasks.put(task));
    const seen: number[] = [];
    store.picture$.subscribe((picture) => seen.push(picture.tasks.length));
    epoch = 2;
    const [first, second] = tasks;
    if (!first || !second) throw new Error('no tasks');
    store.apply(batch(1, [first], { reset: true, more: true }));
    expect(seen).toEqual([]);
    expect(cells.map(({ record }) => record.contact.lost)).toEqual([false, false, false]);
    store.apply(batch(2, [second]));
    expect(cells.map(({ record }) => record.contact.lost)).toEqual([false, false, true]);
    expect(seen).toEqual([2]);
    store.close();
  });

  it('keeps the text of an answer that has ended, which the watch leaves out', () => {
    const store = new PictureStore(() => 1);
    const answer = testAnswer({ state: 'DONE', text: 'Hello', seq: 4 });
    const cell = store.answers.put(answer);
    store.apply(batch(4, [], { answers: [{ ...answer, text: null }] }));
    store.apply(batch(5, [], { answers: [{ ...answer, text: null, seq: 5 }] }));
    expect(cell.record).toMatchObject({ text: 'Hello', seq: 5 });
    const running = testAnswer({ text: 'Hel', seq: 6 });
    const partial = store.answers.put(running);
    store.apply(batch(7, [], { answers: [{ ...running, state: 'DONE', text: null, seq: 7 }] }));
    expect(partial.record.text).toBeNull();
  });

  it('forgets what has been removed', () => {
    const store = new PictureStore(() => 1);
    const { record } = store.tasks.put(testTask({ state: 'DONE', seq: 1 }));
    store.apply(batch(2, [], { removed: [record.id] }));
    expect(store.picture.tasks).toEqual([]);
  });
});
