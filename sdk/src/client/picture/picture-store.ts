import { Observable, Subject } from 'rxjs';
import type { WatchBatch } from '../../contract/index.js';
import type {
  AnswerRecord,
  BatchRecord,
  PilotRecord,
  ServiceRecord,
  TaskRecord,
  TaskSetRecord,
} from '../../schemas/index.js';
import type { Picture } from '../types.js';
import { isFinal } from './final.js';
import type { RecordCell } from './record-cell.js';
import { Shelf } from './shelf.js';

/** At most 30 pictures a second. */
const QUIET_MS = 33;

/** All that the session knows, fed by one `watch` and by what calls return. Handles read from its cells. */
export class PictureStore {
  readonly pilots: Shelf<PilotRecord>;
  readonly tasks: Shelf<TaskRecord>;
  readonly sets: Shelf<TaskSetRecord>;
  /** Tasks of sets that somebody looks at; no part of the picture, which has their sets. */
  readonly members: Shelf<TaskRecord>;
  readonly services: Shelf<ServiceRecord>;
  readonly answers: Shelf<AnswerRecord>;
  readonly batches: Shelf<BatchRecord>;
  readonly #out = new Subject<Picture>();
  #picture: Picture = { pilots: [], tasks: [], sets: [], services: [], answers: [], batches: [] };
  #whole = false;
  #stale = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #lastOut = Number.NEGATIVE_INFINITY;

  /** @param epoch - of the bridge that is connected: records are compared within it */
  constructor(epoch: () => number) {
    const changed = () => this.#changed();
    this.pilots = new Shelf(epoch, changed);
    this.tasks = new Shelf(epoch, changed);
    this.sets = new Shelf(epoch, changed);
    this.members = new Shelf(epoch, () => undefined);
    this.services = new Shelf(epoch, changed);
    this.answers = new Shelf(epoch, changed, keepContent);
    this.batches = new Shelf(epoch, changed);
  }

  /** As it stands now. */
  get picture(): Picture {
    if (this.#stale) {
      const { pilots, services, tasks, sets, answers, batches } = this;
      this.#picture = {
        pilots: pilots.listed,
        services: services.listed,
        tasks: tasks.listed,
        sets: sets.listed,
        answers: answers.listed,
        batches: batches.listed,
      };
      this.#stale = false;
    }
    return this.#picture;
  }

  /** The whole picture once it is there, then one value per change, conflated. Drawn up only while somebody looks. */
  get picture$(): Observable<Picture> {
    return new Observable((subscriber) => {
      if (this.#whole) subscriber.next(this.picture);
      return this.#out.subscribe(subscriber);
    });
  }

  apply(batch: WatchBatch): void {
    if (batch.reset) for (const shelf of this.#shelves) shelf.expectAll();
    this.pilots.apply(batch.pilots);
    this.tasks.apply(batch.tasks);
    this.sets.apply(batch.sets);
    this.services.apply(batch.services);
    this.answers.apply(batch.answers);
    this.batches.apply(batch.batches);
    for (const id of batch.removed) for (const shelf of this.#shelves) shelf.remove(id);
    if (batch.more) return;
    for (const shelf of this.#shelves) shelf.settle(batch.seq);
    this.#whole = true;
    this.#changed();
  }

  /** Takes what a call returned of a task, of a set or not, and gives the cell to look at it. */
  putTask(record: TaskRecord): RecordCell<TaskRecord> {
    return (record.set === null ? this.tasks : this.members).put(record);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#out.complete();
  }

  get #shelves() {
    return [this.pilots, this.tasks, this.sets, this.services, this.answers, this.batches];
  }

  #changed(): void {
    this.#stale = true;
    if (!this.#whole || this.#timer !== null || !this.#out.observed) return;
    const wait = this.#lastOut + QUIET_MS - performance.now();
    if (wait <= 0) {
      this.#emit();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#emit();
    }, wait);
  }

  #emit(): void {
    this.#lastOut = performance.now();
    this.#out.next(this.picture);
  }
}

/** The watch leaves text and value of answers out; what a call has brought of an answer that has ended stays. */
function keepContent(known: AnswerRecord, next: AnswerRecord): AnswerRecord {
  if (!isFinal(known) || next.text !== null || (next.value ?? null) !== null) return next;
  return { ...next, text: known.text, value: known.value };
}
