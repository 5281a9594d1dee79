import { Observable, Subject } from 'rxjs';
import type { WatchBatch } from '../../contract/index.js';
import type { AnswerRecord, PilotRecord, ServiceRecord, TaskRecord } from '../../schemas/index.js';
import type { Picture } from '../types.js';
import { isFinal } from './final.js';
import { Shelf } from './shelf.js';

/** At most 30 pictures a second. */
const QUIET_MS = 33;

/** All that the session knows, fed by one `watch` and by what calls return. Handles read from its cells. */
export class PictureStore {
  readonly pilots: Shelf<PilotRecord>;
  readonly tasks: Shelf<TaskRecord>;
  readonly services: Shelf<ServiceRecord>;
  readonly answers: Shelf<AnswerRecord>;
  readonly #out = new Subject<Picture>();
  #picture: Picture = { pilots: [], tasks: [], services: [], answers: [] };
  #whole = false;
  #stale = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #lastOut = Number.NEGATIVE_INFINITY;

  /** @param epoch - of the bridge that is connected: records are compared within it */
  constructor(epoch: () => number) {
    const changed = () => this.#changed();
    this.pilots = new Shelf(epoch, changed);
    this.tasks = new Shelf(epoch, changed);
    this.services = new Shelf(epoch, changed);
    this.answers = new Shelf(epoch, changed, keepText);
  }

  /** As it stands now. */
  get picture(): Picture {
    if (this.#stale) {
      const { pilots, services, tasks, answers } = this;
      this.#picture = {
        pilots: pilots.listed,
        services: services.listed,
        tasks: tasks.listed,
        answers: answers.listed,
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
    this.services.apply(batch.services);
    this.answers.apply(batch.answers);
    for (const id of batch.removed) for (const shelf of this.#shelves) shelf.remove(id);
    if (batch.more) return;
    for (const shelf of this.#shelves) shelf.settle(batch.seq);
    this.#whole = true;
    this.#changed();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#out.complete();
  }

  get #shelves() {
    return [this.pilots, this.tasks, this.services, this.answers];
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

/** The watch leaves the text of answers out; what a call has brought of an answer that has ended stays. */
function keepText(known: AnswerRecord, next: AnswerRecord): AnswerRecord {
  return next.text === null && isFinal(known) ? { ...next, text: known.text } : next;
}
