import {
  type AnswerRecord,
  type Asked,
  type ChunkBatch,
  newAnswerRecord,
  type Origin,
  PilothouseError,
  type RequestOptions,
  type ServiceRecord,
  type ServiceRequest,
  serviceStates,
} from '@pilothouse/sdk/internal';
import { type Adapters, type Directory, type Routable, unsupported } from '@pilothouse/serving';
import type { Clock } from '../../clock.js';
import type { Logger } from '../../logger.js';
import type { Keys } from '../../picture/keys.js';
import type { Picture } from '../../picture/picture.js';
import { ended, notFound } from '../../router/ended.js';
import { Throttle } from '../../router/throttle.js';
import type { BatchSource } from '../../streams/stream.js';
import type { Names } from '../names.js';
import { Once } from '../once.js';
import { findRef } from '../refs.js';
import { AnswerArchive, restarted } from './answer-archive.js';
import { AnswerRun, type RunContext } from './answer-run.js';
import { FollowSource } from './follow-source.js';
import { search, type Wanted } from './history.js';
import { KeptAnswer } from './kept-answer.js';
import { isCurrent } from './retention.js';
import type { Targets } from './targets.js';

/** Milliseconds between two updates of a running answer's chunk count on the lists. */
const COUNT_INTERVAL = 250;
/** Characters of a prompt above which the lists hear only of states: the record travels whole each time. */
const LONG_PROMPT = 64 * 1024;

/** What the manager of answers is built from. */
export interface AnswerManagerOptions {
  readonly home: string;
  readonly epoch: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly picture: Picture;
  readonly keys: Keys;
  readonly names: Names;
  readonly directory: Directory;
  readonly adapters: Adapters;
  readonly targets: Targets;
}

/** A question to a service. */
export interface Question {
  /** Id or name of the service. */
  readonly service: string;
  readonly request: ServiceRequest;
  readonly options: RequestOptions;
  readonly origin: Origin;
  readonly key: string;
}

/**
 * Requests to services and their answers. An answer belongs to the bridge: it runs once, goes on without its caller, and
 * is kept for whoever looks later.
 */
export class AnswerManager {
  readonly #options: AnswerManagerOptions;
  readonly #archive: AnswerArchive;
  readonly #runs = new Map<string, AnswerRun>();
  /** Questions being written down: a repeat of one that is under way is the same question. */
  readonly #asking = new Once<AnswerRecord>();
  readonly #counts: Throttle<string>;
  readonly #context: RunContext;

  constructor(options: AnswerManagerOptions) {
    const { home, epoch, clock, logger, picture, adapters, targets } = options;
    this.#options = options;
    this.#archive = new AnswerArchive(home, epoch, clock, logger, (id) => picture.remove('answer', id));
    this.#counts = new Throttle(COUNT_INTERVAL, (ids) => {
      for (const id of ids) {
        const answer = this.#archive.get(id);
        if (answer !== undefined) this.#publish(answer);
      }
    });
    this.#context = {
      adapters,
      forFiles: (service, { instance, target }) => targets.forFiles(service, instance.index, target),
      archive: this.#archive,
      clock,
      publish: (answer) => this.#publish(answer),
      grew: (answer) => {
        if (answer.promptLength <= LONG_PROMPT) this.#counts.mark(answer.id);
      },
    };
  }

  /** How many answers are under way. */
  get running(): number {
    return this.#runs.size;
  }

  /**
   * Brings back what earlier bridges kept.
   *
   * @throws PilothouseError LOG_DAMAGED
   */
  async load(): Promise<void> {
    await this.#archive.load();
    for (const answer of this.#archive.all()) {
      this.#options.keys.set(answer.key, { kind: 'answer', id: answer.id });
      if (isCurrent(answer, this.#options.clock.now())) this.#publish(answer);
    }
  }

  /**
   * Asks a service. Resolves when the question is on disk; the answer goes on by itself.
   *
   * @throws PilothouseError SERVICE_NOT_FOUND, SERVICE_STOPPED, SERVICE_FAILED, UNSUPPORTED_REQUEST
   */
  ask(question: Question): Promise<AnswerRecord> {
    const { request, options, origin, key } = question;
    return this.#once(key, () => {
      const service = this.#service(question.service);
      return { service, request, options, owner: origin.name, retryOf: null };
    });
  }

  /** Asks the same again, as a new answer. */
  retry(ref: string, origin: Origin, key: string): Promise<AnswerRecord> {
    return this.#once(key, () => {
      const { record } = this.#find(ref);
      const { request, options } = record;
      return { service: this.#again(record), request, options, owner: origin.name, retryOf: record.id };
    });
  }

  /** @throws PilothouseError ANSWER_NOT_FOUND */
  get(ref: string): AnswerRecord {
    return this.#find(ref).whole;
  }

  /** Answers, oldest first, without their text. */
  list(all: boolean): AnswerRecord[] {
    return Array.from(this.#archive.all())
      .filter((answer) => all || !answer.isFinal)
      .map((answer) => this.#options.picture.get('answer', answer.id) ?? answer.record);
  }

  /** Kept answers whose question or answer holds a text, newest first, without their own text. */
  search(wanted: Wanted): { answers: AnswerRecord[]; total: number } {
    return search(this.#archive.all(), wanted);
  }

  /** Every chunk from a number on, then the final record. */
  follow(id: string, from: number): BatchSource<ChunkBatch> {
    return new FollowSource(this.#find(id), from);
  }

  /** Stops an answer, at the server too. One that has ended stays as it is. */
  async stop(ref: string): Promise<AnswerRecord> {
    const answer = this.#find(ref);
    const run = this.#runs.get(answer.id);
    run?.stop();
    await run?.ended;
    return answer.whole;
  }

  /** A cell shows it: until it has its final bundle, the answer is kept longer. */
  viewOpened(id: string, view: string): void {
    this.#archive.viewed(id, view, false);
    const answer = this.#archive.get(id);
    // One that was history stands on the lists again while a cell shows it.
    if (answer !== undefined && this.#options.picture.get('answer', id) === undefined) this.#publish(answer);
  }

  /** A cell has its final bundle. */
  viewConfirmed(view: string): void {
    for (const answer of this.#archive.all()) {
      if (answer.views.has(view)) this.#archive.viewed(answer.id, view, true);
    }
  }

  /**
   * Takes an answer that has ended off the lists.
   *
   * @throws PilothouseError ANSWER_NOT_FOUND, INVALID_DESCRIPTION while it is under way
   */
  forget(ref: string): void {
    const answer = this.#find(ref);
    if (!answer.isFinal) {
      throw new PilothouseError('INVALID_DESCRIPTION', `the answer ${answer.record.name} is still under way`, {
        hint: 'Stop it first.',
        ids: { answer: answer.id },
        field: 'id',
      });
    }
    this.#archive.drop(answer.id);
  }

  /** Ends the answers under way, which keep their text, and writes what waits. */
  async close(): Promise<void> {
    for (const [id, run] of this.#runs) run.interrupt(restarted(id));
    await Promise.all(Array.from(this.#runs.values(), ({ ended }) => ended));
    await this.#archive.close();
  }

  #once(key: string, make: () => Asked): Promise<AnswerRecord> {
    const accepted = this.#options.clock.monotonic();
    return this.#asking.run(key, async () => {
      const known = this.#options.keys.get(key);
      return known === undefined ? await this.#ask(key, make(), accepted) : this.get(known.id);
    });
  }

  async #ask(key: string, asked: Asked, accepted: number): Promise<AnswerRecord> {
    const { clock, keys } = this.#options;
    const route = this.#route(asked);
    const answer = new KeptAnswer(key, newAnswerRecord(asked, clock.iso()));
    answer.enter('QUEUED', clock.iso());
    await this.#archive.add(answer);
    keys.set(key, { kind: 'answer', id: answer.id });
    this.#publish(answer);
    const run = new AnswerRun(this.#context, answer, route, accepted);
    this.#runs.set(answer.id, run);
    // A run never rejects: whatever happens to it stands in its answer.
    void run.ended.then(() => this.#runs.delete(answer.id));
    return answer.whole;
  }

  #publish(answer: KeptAnswer): void {
    if (answer.isFinal) this.#counts.unmark(answer.id);
    answer.numbered(this.#options.picture.put('answer', answer.record).seq);
  }

  #find(ref: string): KeptAnswer {
    const { picture, names } = this.#options;
    const found = this.#archive.get(ref) ?? this.#archive.get(findRef(picture, names, 'answer', ref).id);
    if (found !== undefined) return found;
    throw new PilothouseError('ANSWER_NOT_FOUND', `the answer ${ref} is no longer kept`, {
      hint: 'Ask again.',
      ids: { answer: ref },
    });
  }

  /** What cannot be asked is told at once, before anything is written down. */
  #route({ service, request }: Asked): Routable {
    const { adapters, directory } = this.#options;
    const route = directory.find(service.id);
    if (route === undefined) throw notFound(service.id);
    const refusal = unsupported(adapters.byApi[route.api], route.name, request.op);
    if (refusal !== undefined) throw refusal;
    return route;
  }

  #service(ref: string): ServiceRecord {
    const service = findRef(this.#options.picture, this.#options.names, 'service', ref);
    if (serviceStates.isFinal(service.state) || service.state === 'STOPPING') throw ended(service);
    return service;
  }

  /** The service to ask again: the same, or a live one that has its name by now. */
  #again({ service: { id, name } }: AnswerRecord): ServiceRecord {
    const same = this.#options.picture.get('service', id);
    return this.#service(same !== undefined && !serviceStates.isFinal(same.state) ? id : name);
  }
}
