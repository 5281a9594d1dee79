import {
  type BatchRecord,
  type BatchSpec,
  batchStates,
  newId,
  PilothouseError,
  type PilotRecord,
  pilotStates,
  type ResolvedBatchDescription,
  type ServiceRecord,
  serviceStates,
} from '@pilothouse/sdk/internal';
import type { Context } from '../../context.js';
import type { Explanation } from '../../engines/index.js';
import { settlePilot } from '../../picture/settle.js';
import { findDifferences } from '../differences.js';
import { Once, Sequence } from '../once.js';
import type { PilotManager, Submission } from '../pilot-manager.js';
import { findRef } from '../refs.js';
import type { RemoteServices } from '../remote-services.js';
import { type BatchFiles, batchFiles } from './batch-files.js';
import { checkOperation } from './operations.js';
import { RowReader, type Rows } from './row-reader.js';
import { Uploads } from './uploads.js';

/** What may differ between two calls that mean the same batch. */
const SAME: ReadonlySet<string> = new Set(['name', 'pilot', 'service', 'out']);

/** Batches: written to the spool of the pilot that does them, found again, read, canceled. */
export class BatchManager {
  readonly #starts = new Once<BatchRecord>();
  readonly #outputs = new Sequence();
  readonly #uploads: Uploads;
  readonly #reader = new RowReader();

  constructor(
    private readonly context: Context,
    private readonly pilots: PilotManager,
    private readonly remotes: RemoteServices,
  ) {
    this.#uploads = new Uploads(context.config.home);
    const used = this.list(false).flatMap(({ description: { input } }) => ('upload' in input ? [input.upload] : []));
    this.#uploads
      .tidy(new Set(used))
      .catch((error: unknown) => context.log.error('old inputs of batches could not be removed', error));
  }

  /**
   * Ends batches whose service was let go: no pilot runs it, so none would ever say that it is over.
   *
   * @returns stops that
   */
  follow(): () => void {
    const { picture, log } = this.context;
    return picture.onChange(({ kind, id }) => {
      const service = kind === 'service' ? picture.get('service', id) : undefined;
      if (service === undefined || service.pilot !== null || service.endedAt === null) return;
      for (const batch of this.list(false)) {
        if (batch.service.id !== id) continue;
        this.cancel(batch.id).catch((error: unknown) => log.error(`batch ${batch.id} could not be ended`, error));
      }
    });
  }

  upload(id: string, from: number, rows: readonly unknown[]): Promise<number> {
    return this.#uploads.add(id, from, rows);
  }

  /**
   * Starts a batch. A live one with the same output and the same description is this one; with another description it is
   * refused, since two writers would spoil one file.
   */
  start(description: ResolvedBatchDescription, submission: Submission): Promise<BatchRecord> {
    const made = this.context.keys.get(submission.key);
    if (made?.kind === 'batch') return Promise.resolve(this.get(made.id));
    return this.#starts.run(submission.key, async () => {
      const { picture, names, config } = this.context;
      const service = findRef(picture, names, 'service', description.service);
      checkService(service);
      checkOperation(service, description);
      const files = await batchFiles(config, this.#uploads, submission.origin, service.name, description);
      return this.#outputs.run(files.out, () => this.#start(description, service, files, submission));
    });
  }

  get(ref: string): BatchRecord {
    return findRef(this.context.picture, this.context.names, 'batch', ref);
  }

  list(all: boolean): BatchRecord[] {
    return [...this.context.picture.list('batch')].filter(({ endedAt }) => all || endedAt === null);
  }

  async explain(ref: string): Promise<Explanation> {
    const batch = this.get(ref);
    const { picture } = this.context;
    const failures = batch.failures.map(({ key, message }) => `row ${key}: ${message}`);
    if (batch.error !== null) return { text: batch.error.message, evidence: failures };
    if (batchStates.isFinal(batch.state)) return { text: `it is ${batch.state}`, evidence: failures };
    if (batch.contact.lost) return { text: `not reachable since ${batch.contact.since}`, evidence: failures };
    const pilot = picture.get('pilot', batch.pilot ?? '');
    if (pilot !== undefined && (pilot.state === 'NEW' || pilot.state === 'QUEUED' || pilot.state === 'STARTING')) {
      const why = this.pilots.explain(pilot.id);
      return { text: `waits for pilot "${pilot.name}", which is ${pilot.state}: ${why.text}`, evidence: why.evidence };
    }
    const { done, failed, total, inFlight } = batch.progress;
    const goesOn = `${done + failed} of ${total ?? 'yet unknown'} rows are done, ${inFlight} under way`;
    return { text: batch.reason?.text ?? `nothing stands in its way: ${goesOn}`, evidence: failures };
  }

  rows(ref: string, from: number, limit: number): Promise<Rows> {
    return this.#reader.read(this.get(ref), from, limit);
  }

  async cancel(ref: string): Promise<BatchRecord> {
    const batch = this.get(ref);
    if (batchStates.isFinal(batch.state)) return batch;
    const { events, link, spool } = this.context;
    await events.append([{ type: 'batch.cancel', id: batch.id }]);
    if (batch.pilot !== null) {
      link.spooled(batch.pilot, await spool.append(batch.pilot, [{ type: 'cancel-batch', batch: batch.id }]));
    }
    return this.get(batch.id);
  }

  async #start(
    description: ResolvedBatchDescription,
    service: ServiceRecord,
    files: BatchFiles,
    { origin, key }: Submission,
  ): Promise<BatchRecord> {
    const live = this.list(false).find(({ out }) => out === files.out);
    if (live !== undefined) return this.#again(live, description, service);
    const { context } = this;
    const pilot = this.#pilotFor(service, description.pilot);
    const id = newId('batch');
    const name = context.names.reserve('batch', files.name, id);
    try {
      const batch = newBatch(
        { id, name, description, service, pilot, out: files.out },
        origin.name,
        context.clock.iso(),
      );
      const { input, out, format } = files;
      const spec: BatchSpec = { id, name, service: service.id, description, input, out, format };
      await context.events.append([{ type: 'batch.submitted', key, batch, spec }]);
      const lines = await context.spool.append(pilot.id, [
        ...(await this.remotes.entries(pilot.id, [service.id])),
        { type: 'batch', batch: spec },
      ]);
      context.link.spooled(pilot.id, lines);
      // The pilot may have ended while this was written: then this ends with it, instead of waiting for ever.
      settlePilot(context.picture, pilot.id, context.clock.iso());
    } catch (error) {
      if (context.picture.get('batch', id) === undefined) context.names.release('batch', name, id);
      throw error;
    }
    return this.get(id);
  }

  /** A batch that writes this file already: the same, or one that must come first. */
  #again(live: BatchRecord, asked: ResolvedBatchDescription, service: ServiceRecord): BatchRecord {
    const differences = findDifferences(live.description, asked).filter(({ path }) => !SAME.has(path));
    if (differences.length === 0 && live.service.id === service.id) return live;
    throw new PilothouseError('DESCRIPTION_CHANGED', `batch "${live.name}" is writing ${live.out}`, {
      hint: 'Wait for its end, cancel it, or name another file with "out".',
      ids: { batch: live.id },
      field: 'out',
      evidence: differences.map(({ text }) => text).join('\n'),
    });
  }

  /** The pilot of the service; for one that runs on none, the one that is named, else one that is active. */
  #pilotFor(service: ServiceRecord, wanted: string | undefined): PilotRecord {
    const { picture } = this.context;
    if (service.pilot !== null) {
      const pilot = this.pilots.choose(service.pilot);
      if (wanted === undefined || this.pilots.get(wanted).id === pilot.id) return pilot;
      throw new PilothouseError(
        'INVALID_DESCRIPTION',
        `service "${service.name}" runs on pilot "${pilot.name}", and so do its batches`,
        { hint: 'Leave "pilot" out.', field: 'pilot', ids: { service: service.id } },
      );
    }
    if (wanted !== undefined) return this.pilots.choose(wanted);
    const live = [...picture.list('pilot')].filter(({ state }) => !pilotStates.isFinal(state) && state !== 'DRAINING');
    const pilot = live.find(({ state }) => state === 'ACTIVE') ?? live[0];
    if (pilot !== undefined) return pilot;
    throw new PilothouseError('PILOT_NOT_FOUND', 'a batch for an attached service runs on a pilot, and there is none', {
      hint: 'Start one first: pilots.ensure("local").',
      field: 'pilot',
      ids: { service: service.id },
    });
  }
}

function checkService({ id, name, state, error }: ServiceRecord): void {
  if (!serviceStates.isFinal(state) && state !== 'STOPPING') return;
  const failed = state === 'FAILED';
  const text = failed ? `service "${name}" has failed: ${error?.message ?? ''}` : `service "${name}" has been stopped`;
  throw new PilothouseError(failed ? 'SERVICE_FAILED' : 'SERVICE_STOPPED', text, {
    hint: 'Start it again first.',
    ids: { service: id },
    field: 'service',
  });
}

type NewBatch = Pick<BatchRecord, 'id' | 'name' | 'description' | 'out'> & {
  readonly service: ServiceRecord;
  readonly pilot: PilotRecord;
};

function newBatch({ service, pilot, ...facts }: NewBatch, owner: string, createdAt: string): BatchRecord {
  const waits = { code: 'WAITS_FOR_PILOT', text: `waits for pilot "${pilot.name}" to start`, since: createdAt };
  return {
    kind: 'batch',
    ...facts,
    seq: 0,
    state: 'NEW',
    since: createdAt,
    reason: pilot.state === 'ACTIVE' ? null : waits,
    contact: pilot.contact,
    error: null,
    times: { NEW: createdAt },
    owner,
    createdAt,
    endedAt: null,
    service: { id: service.id, name: service.name },
    pilot: pilot.id,
    progress: { total: null, done: 0, failed: 0, kept: 0, inFlight: 0, rate: null, eta: null, tokens: 0 },
    failures: [],
  };
}
