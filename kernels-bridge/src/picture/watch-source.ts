import type { RecordKind, TaskRecord, WatchBatch } from '@pilothouse/sdk/internal';
import type { BatchSource } from '../streams/stream.js';
import { Wakeup } from '../streams/wakeup.js';
import type { Change, Picture } from './picture.js';

/** Records of one batch: short enough not to hold up the loop. */
const BATCH = 200;
/** Characters of text in them after which a batch is full: well under the 8 MiB of a message. */
const BATCH_TEXT = 1024 * 1024;

/** What a watcher asks for. */
export interface WatchOptions {
  readonly kinds: readonly RecordKind[];
  readonly ids?: readonly string[] | undefined;
  readonly after?: { readonly epoch: number; readonly seq: number } | undefined;
}

/**
 * The picture as batches for one watcher. Changes are kept by id and in the order of each thing's last change, so a slow
 * watcher costs no more than one entry per thing, and a batch that reaches number N holds everything up to N: that
 * makes going on after any batch exact.
 */
export class WatchSource implements BatchSource<WatchBatch> {
  readonly #picture: Picture;
  readonly #epoch: number;
  readonly #kinds: ReadonlySet<RecordKind>;
  readonly #ids: ReadonlySet<string> | undefined;
  readonly #pending = new Map<string, Change>();
  readonly #wakeup = new Wakeup();
  readonly #stop: () => void;
  /** Where the picture stood when the stream was opened. */
  readonly #start: number;
  #first = true;
  #full = false;
  #count = 0;
  readonly #reset: boolean;

  constructor(picture: Picture, epoch: number, options: WatchOptions) {
    this.#picture = picture;
    this.#epoch = epoch;
    this.#kinds = new Set(options.kinds);
    this.#ids = options.ids === undefined ? undefined : new Set(options.ids);
    const { after } = options;
    const resumes =
      after !== undefined && after.epoch === epoch && after.seq >= picture.floor && after.seq <= picture.seq;
    this.#reset = !resumes;
    this.#start = picture.seq;
    for (const change of picture.changesAfter(resumes ? after.seq : 0, this.#ids)) this.#note(change);
    const unfollow = picture.onChange((change) => {
      if (this.#note(change)) this.#wakeup.wake();
    });
    const unwatch = picture.alsoTell(this.#ids ?? []);
    this.#stop = () => {
      unfollow();
      unwatch();
    };
  }

  get hasMore(): boolean {
    return this.#full && this.#pending.size > 0;
  }

  get size(): number {
    return this.#count;
  }

  async next(signal: AbortSignal): Promise<WatchBatch> {
    while (this.#pending.size === 0 && !this.#first) await this.#wakeup.wait(signal);
    const batch: WatchBatch = {
      epoch: this.#epoch,
      seq: this.#picture.seq,
      reset: this.#first && this.#reset,
      pilots: [],
      tasks: [],
      sets: [],
      services: [],
      answers: [],
      batches: [],
      removed: [],
    };
    let count = 0;
    let text = 0;
    for (const [id, change] of this.#pending) {
      if (count === BATCH || text > BATCH_TEXT) break;
      this.#pending.delete(id);
      text += this.#add(batch, change);
      count += 1;
      if (this.#pending.size > 0) batch.seq = change.seq;
    }
    this.#full = count === BATCH || text > BATCH_TEXT;
    this.#count = count;
    if (this.#pending.size === 0) batch.seq = this.#picture.seq;
    if (batch.seq < this.#start) batch.more = true;
    this.#first = false;
    return batch;
  }

  close(): void {
    this.#stop();
    this.#pending.clear();
  }

  #note(change: Change): boolean {
    if (!this.#kinds.has(change.kind)) return false;
    // Somebody else looks at this task of a set; here it is one of many.
    if (this.#ids === undefined ? change.kind === 'task' && change.id.includes('.') : !this.#ids.has(change.id)) {
      return false;
    }
    // Set again, so that the order stays the order of last changes.
    this.#pending.delete(change.id);
    this.#pending.set(change.id, change);
    return true;
  }

  /** @returns about how much text the record holds */
  #add(batch: WatchBatch, { kind, id }: Change): number {
    const picture = this.#picture;
    switch (kind) {
      case 'pilot':
        return addTo(batch.pilots, picture.get(kind, id), batch, id);
      case 'task': {
        const task = picture.get(kind, id);
        const text = (task?.stderrTail?.length ?? 0) + lengthOf(task?.description.command ?? []) + sizeOf(task);
        return addTo(batch.tasks, task, batch, id) + text + lengthOf(Object.values(task?.description.env ?? {}));
      }
      case 'set':
        return addTo(batch.sets, picture.get(kind, id), batch, id);
      case 'service': {
        const service = picture.get(kind, id);
        return addTo(batch.services, service, batch, id) + (service?.instances.length ?? 0) * SMALL;
      }
      case 'answer': {
        const answer = picture.get(kind, id);
        const text = answer === undefined ? 0 : JSON.stringify(answer.request).length;
        return addTo(batch.answers, answer && { ...answer, text: null, value: null }, batch, id) + text;
      }
      case 'batch':
        return addTo(batch.batches, picture.get(kind, id), batch, id);
    }
  }
}

/** Characters of a record that holds no long text. */
const SMALL = 1000;

function addTo<T>(list: T[], record: T | undefined, batch: WatchBatch, id: string): number {
  if (record === undefined) batch.removed.push(id);
  else list.push(record);
  return SMALL;
}

/** Characters of what a function was given and gave back. */
function sizeOf(task: TaskRecord | undefined): number {
  const inline = [task?.value, task?.description.call?.args].filter((payload) => payload && !('file' in payload));
  return inline.length === 0 ? 0 : JSON.stringify(inline).length;
}

function lengthOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0);
}
