import type { AnyRecord } from '../../schemas/index.js';
import { StateStream } from '../streams/state-stream.js';
import { isFinal } from './final.js';

/** One thing of the picture, shared by all handles that look at it. */
export class RecordCell<R extends AnyRecord> {
  readonly stream: StateStream<R>;
  #record: R;

  constructor(record: R) {
    this.#record = record;
    this.stream = new StateStream(record);
    if (isFinal(record)) this.stream.complete();
  }

  /** The last that is known, also after the end. */
  get record(): R {
    return this.#record;
  }

  update(record: R): void {
    this.#record = record;
    this.stream.next(record);
    if (isFinal(record)) this.stream.complete();
  }
}
