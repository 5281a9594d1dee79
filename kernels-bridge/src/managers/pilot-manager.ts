import {
  type AgentFrame,
  type Beat,
  batchStates,
  formatSeconds,
  newId,
  type Origin,
  PilothouseError,
  type PilotRecord,
  pilotStates,
  type ResolvedPilotDescription,
} from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';
import type { EngineEvent, Explanation } from '../engines/index.js';
import { beaten } from '../picture/apply-services.js';
import { sameUsage } from '../picture/settle.js';
import { refuseChanges } from './differences.js';
import { Once, Sequence } from './once.js';
import { idleAfter, newPilotRecord, specOf } from './pilot-record.js';
import { findRef } from './refs.js';

/** Who asks, and the key that makes asking again harmless. */
export interface Submission {
  readonly origin: Origin;
  readonly key: string;
}

/** What the manager of pilots tells the one of tasks. */
export interface PilotNews {
  /** A pilot takes work from now on. */
  came(pilot: string): void;
  /** A pilot is final, and everything it wrote has been read. */
  ended(pilot: string): void;
}

/** Pilots: submitted, found again, ended. */
export class PilotManager {
  readonly #submits = new Once<PilotRecord>();
  readonly #ensures = new Sequence();
  readonly #toAcknowledge = new Set<string>();

  constructor(
    private readonly context: Context,
    private readonly news: PilotNews,
  ) {
    for (const engine of context.engines.all()) engine.events((event) => this.#follow(event));
  }

  submit(description: ResolvedPilotDescription, submission: Submission): Promise<PilotRecord> {
    const made = this.context.keys.get(submission.key);
    if (made?.kind === 'pilot') return Promise.resolve(this.get(made.id));
    return this.#submits.run(submission.key, () => this.#submit(description, submission));
  }

  /** The live one of that name, else a new one. */
  ensure(name: string, description: ResolvedPilotDescription, submission: Submission): Promise<PilotRecord> {
    return this.#ensures.run(name, async () => {
      const id = this.context.names.find('pilot', name);
      const live = id === undefined ? undefined : this.context.picture.get('pilot', id);
      if (live === undefined) return this.submit({ ...description, name }, submission);
      refuseChanges('pilot', name, live.id, live.description, description, new Set(['name']));
      return live;
    });
  }

  get(ref: string): PilotRecord {
    return findRef(this.context.picture, this.context.names, 'pilot', ref);
  }

  list(all: boolean): PilotRecord[] {
    return [...this.context.picture.list('pilot')].filter(({ endedAt }) => all || endedAt === null);
  }

  /** The pilot that work is for: the one named, else the only live one. */
  choose(ref: string | undefined): PilotRecord {
    const pilot = ref === undefined ? this.#onlyLive() : this.get(ref);
    if (pilotStates.isFinal(pilot.state) || pilot.state === 'DRAINING') {
      throw new PilothouseError('PILOT_ENDED', `pilot "${pilot.name}" has ended or is ending`, {
        hint: 'Start a new pilot, for example with pilots.ensure.',
        ids: { pilot: pilot.id },
        field: 'pilot',
      });
    }
    return pilot;
  }

  async preview(description: ResolvedPilotDescription): Promise<{ sentence: string; script: string }> {
    const engine = this.context.engines.get(description.engine);
    const spec = specOf('pilot-preview', description.name ?? 'pilot', description, this.context.clock.iso());
    await engine.check(spec);
    return engine.preview(spec);
  }

  explain(ref: string): Explanation {
    const pilot = this.get(ref);
    const engine = this.context.engines.get(pilot.engine).explain(pilot.id);
    const evidence = engine?.evidence ?? [];
    if (pilot.contact.lost) {
      return { text: `not reachable since ${pilot.contact.since}; what runs there goes on`, evidence };
    }
    if (pilot.error !== null)
      return { text: pilot.error.message, evidence: [pilot.error.evidence ?? pilot.error.code] };
    if (pilot.reason !== null)
      return { text: pilot.reason.text, evidence: [pilot.reason.evidence ?? '', ...evidence].filter(Boolean) };
    return { text: this.#sentence(pilot, engine), evidence };
  }

  /** Ends a pilot with everything on it. What waits is gone at once; what runs is ended by its agent. */
  async end(ref: string): Promise<PilotRecord> {
    const pilot = this.get(ref);
    if (pilotStates.isFinal(pilot.state)) return pilot;
    const { context } = this;
    await context.events.append([{ type: 'pilot.end', id: pilot.id }]);
    if (await context.engines.get(pilot.engine).cancel(pilot.id)) {
      await context.events.append([
        { type: 'pilot.state', id: pilot.id, state: 'CANCELED', reason: null, error: null },
      ]);
      this.ended(pilot.id);
    } else {
      context.link.spooled(pilot.id, await context.spool.append(pilot.id, [{ type: 'end' }]));
    }
    return this.get(pilot.id);
  }

  /** Takes over what an earlier bridge left: what never started is started, what runs is waited for. */
  async adopt(): Promise<void> {
    const live = this.list(false);
    for (const { id, state } of live)
      if (state !== 'NEW' && state !== 'QUEUED') this.context.link.expect(id, LAUNCH_MS);
    for (const engine of this.context.engines.all()) {
      const own = live.filter((pilot) => pilot.engine === engine.name);
      await engine.adopt(
        own.map(({ id, name, resources, description, createdAt, state, node, endsAt }) => ({
          spec: { id, name, ...resources, ...idleAfter(description), nodes: description.nodes, createdAt },
          state,
          node,
          endsAt,
        })),
      );
    }
  }

  /** What an agent sends that concerns its pilot. */
  frame(pilot: string, frame: AgentFrame): void {
    if (frame.type === 'events') {
      this.context.intake.accept(pilot, frame.records).then(
        () => this.#taken(pilot),
        (error: unknown) => this.context.log.error(`the journal of ${pilot} could not be taken in`, error),
      );
    }
    if (frame.type === 'beat') this.#beat(pilot, frame.beat);
    if (frame.type === 'hello' && frame.journalSeq > this.context.intake.have(pilot)) this.readJournal(pilot);
  }

  /** Reads what an agent wrote while it was not heard. */
  readJournal(pilot: string): void {
    this.context.intake.readFiles(pilot).then(
      () => this.#taken(pilot),
      (error: unknown) => this.context.log.error(`the journal of ${pilot} could not be read`, error),
    );
  }

  #beat(id: string, { usage, probes, roles = {}, loading = {}, staging = {}, batches = {} }: Beat): void {
    const { picture } = this.context;
    for (const [task, reports] of Object.entries(staging)) {
      const slot = picture.tasks.find(task);
      if (slot === undefined || picture.tasks.pilotOf(slot) !== id || picture.tasks.isFinal(slot)) continue;
      picture.tasks.edit(slot).staging = reports;
      picture.tasks.touch(slot);
    }
    picture.update('pilot', id, (pilot) => (sameUsage(pilot.usage, usage) ? null : { usage }));
    for (const [batch, progress] of Object.entries(batches)) {
      picture.update('batch', batch, ({ pilot, state }) =>
        pilot !== id || batchStates.isFinal(state) ? null : { progress },
      );
    }
    const heard = { probes, roles, loading };
    for (const service of picture.servicesOn(id)) picture.update('service', service, (record) => beaten(record, heard));
  }

  #taken(id: string): void {
    const { context } = this;
    this.#acknowledge(id);
    const pilot = context.picture.get('pilot', id);
    if (pilot === undefined) return;
    if (pilot.endsAt !== null) context.engines.get(pilot.engine).expectEnd(id, pilot.endsAt);
    if (pilotStates.isFinal(pilot.state)) this.ended(id);
  }

  /** Together for what comes within a moment: an agent at full speed sends thousands of frames a second. */
  #acknowledge(id: string): void {
    if (this.#toAcknowledge.has(id)) return;
    this.#toAcknowledge.add(id);
    setTimeout(() => {
      this.#toAcknowledge.delete(id);
      this.context.link.send(id, { type: 'ack', seq: this.context.intake.have(id) });
    }, ACK_MS);
  }

  /** A pilot is final: what it left open is settled, and what it held is free. */
  ended(id: string): void {
    const { context } = this;
    const pilot = context.picture.get('pilot', id);
    if (pilot === undefined) return;
    this.news.ended(id);
    context.engines.get(pilot.engine).release(id);
    context.link.forget(id);
    context.spool
      .close(id)
      .catch((error: unknown) => context.log.error(`the spool of ${id} could not be closed`, error));
  }

  async #submit(description: ResolvedPilotDescription, { origin, key }: Submission): Promise<PilotRecord> {
    const { context } = this;
    const engine = context.engines.get(description.engine);
    const id = newId('pilot');
    const name = context.names.reserve('pilot', description.name ?? 'pilot', id);
    try {
      const spec = specOf(id, name, description, context.clock.iso());
      await engine.check(spec);
      const pilot = newPilotRecord(spec, description, origin);
      await context.events.append([{ type: 'pilot.submitted', key, pilot }]);
      await engine.submit(spec, id);
      this.news.came(id);
    } catch (error) {
      if (context.picture.get('pilot', id) === undefined) context.names.release('pilot', name, id);
      throw error;
    }
    return this.get(id);
  }

  #follow(event: EngineEvent): void {
    const { context } = this;
    const pilot = context.picture.get('pilot', event.pilot);
    if (pilot === undefined || pilotStates.isFinal(pilot.state)) return;
    if (event.state === 'STARTING') context.link.expect(event.pilot, LAUNCH_MS);
    // The same reason in other words is no new state; only what says something else is written down.
    if (pilot.state === event.state && pilot.reason?.text === event.reason?.text) return;
    const { state, reason, error } = event;
    context.events
      .append([{ type: 'pilot.state', id: event.pilot, state, reason, error }])
      .then(() => {
        if (state === 'FAILED' || state === 'CANCELED') this.ended(event.pilot);
      })
      .catch((failure: unknown) => context.log.error(`the state of ${event.pilot} could not be written`, failure));
  }

  #onlyLive(): PilotRecord {
    const live = this.list(false).filter(({ state }) => state !== 'DRAINING');
    const [only, second] = live;
    if (only === undefined) {
      throw new PilothouseError('PILOT_NOT_FOUND', 'there is no live pilot', {
        hint: 'Start one first, for example pilots.ensure("demo", …) or "New pilot" in the sidebar.',
        field: 'pilot',
      });
    }
    if (second !== undefined) {
      throw new PilothouseError('INVALID_DESCRIPTION', `there are ${live.length} live pilots; which one is not said`, {
        hint: `Say which with pilot: ${live.map(({ name }) => `"${name}"`).join(' or ')}.`,
        field: 'pilot',
      });
    }
    return only;
  }

  #sentence(pilot: PilotRecord, engine: Explanation | null): string {
    if (pilot.state !== 'ACTIVE') return engine?.text ?? `it is ${pilot.state}`;
    const left =
      pilot.endsAt === null
        ? ''
        : `; ends in ${formatSeconds((Date.parse(pilot.endsAt) - this.context.clock.now()) / 1000)}`;
    return `it runs; ${pilot.usage.cores} of ${pilot.resources.cores} cores in use${left}`;
  }
}

/** Milliseconds within which journal records are acknowledged together. */
const ACK_MS = 2;
/** Milliseconds that a launched pilot has until its agent must be heard. */
const LAUNCH_MS = 15_000;
