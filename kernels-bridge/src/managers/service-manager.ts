import {
  type LogChunk,
  newId,
  PilothouseError,
  type ResolvedServiceDescription,
  type ServiceRecord,
} from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';
import type { Credentials } from '../credentials/credentials.js';
import type { Explanation } from '../engines/index.js';
import { settlePilot } from '../picture/settle.js';
import { refuseStored, type TemplateRegistry } from '../templates/index.js';
import { findDifferences, refuseChanges } from './differences.js';
import { Once, Sequence } from './once.js';
import { type LogRange, OutputReader } from './output-reader.js';
import type { PilotManager, Submission } from './pilot-manager.js';
import { findRef } from './refs.js';
import { explainService } from './service-explain.js';
import { type Preview, placeOf, previewService, refuseHopeless } from './service-preview.js';
import { newServiceRecord } from './service-record.js';
import { specOf } from './service-spec.js';
import { checkFits, demandOf } from './tasks/demand.js';

/** Services: started on pilots, found again, probed, read, stopped. Those of others are attached elsewhere and stopped here. */
export class ServiceManager {
  readonly #starts = new Once<ServiceRecord>();
  readonly #ensures = new Sequence();
  readonly #output: OutputReader;

  constructor(
    private readonly context: Context,
    private readonly pilots: PilotManager,
    private readonly templates: TemplateRegistry,
    private readonly credentials: Credentials,
  ) {
    this.#output = new OutputReader(context);
  }

  start(description: ResolvedServiceDescription, submission: Submission): Promise<ServiceRecord> {
    const made = this.context.keys.get(submission.key);
    if (made?.kind === 'service') return Promise.resolve(this.get(made.id));
    return this.#starts.run(submission.key, () => this.#start(description, submission));
  }

  /** The live one of that name, else a new one; the name is also the template where neither one nor a command is given. */
  ensure(name: string, description: ResolvedServiceDescription, submission: Submission): Promise<ServiceRecord> {
    return this.#ensures.run(name, async () => {
      const id = this.context.names.find('service', name);
      const live = id === undefined ? undefined : this.context.picture.get('service', id);
      const asked = await this.#named(name, description);
      if (live === undefined) return this.start(asked, submission);
      this.#checkSame(live, asked);
      return live;
    });
  }

  /** What would be run, the sentence that says what is asked for, and what a look beforehand has found. */
  preview(description: ResolvedServiceDescription): Promise<Preview> {
    const live = this.pilots.list(false).filter(({ state }) => state !== 'DRAINING');
    const only = live.length === 1 ? live[0] : undefined;
    const pilot = description.pilot === undefined ? only : this.pilots.get(description.pilot);
    return previewService(this.context, this.templates, pilot, description);
  }

  get(ref: string): ServiceRecord {
    return findRef(this.context.picture, this.context.names, 'service', ref);
  }

  list(all: boolean): ServiceRecord[] {
    return [...this.context.picture.list('service')].filter(({ endedAt }) => all || endedAt === null);
  }

  explain(ref: string): Explanation {
    const service = this.get(ref);
    const pilot = service.pilot === null ? undefined : this.context.picture.get('pilot', service.pilot);
    if (service.state !== 'STARTING' || pilot === undefined || pilot.state === 'ACTIVE') {
      return explainService(service, null);
    }
    return explainService(service, () => {
      const why = this.pilots.explain(pilot.id);
      return { text: `waits for pilot "${pilot.name}", which is ${pilot.state}: ${why.text}`, evidence: why.evidence };
    });
  }

  log(ref: string, number: number, range: LogRange): Promise<LogChunk> {
    const service = this.get(ref);
    const instance = service.instances.find(({ index }) => index === number);
    if (service.pilot === null || instance === undefined) {
      const have = service.pilot === null ? 'it was started elsewhere' : `it has ${service.instances.length}`;
      throw new PilothouseError(
        'INVALID_DESCRIPTION',
        `service "${service.name}" has no log of an instance ${number}`,
        {
          hint: service.pilot === null ? 'Look at its log where it runs.' : 'Name one of its instances.',
          field: 'instance',
          evidence: have,
          ids: { service: service.id },
        },
      );
    }
    const final = instance.state === 'STOPPED' || instance.state === 'FAILED';
    return this.#output.read({ id: instance.id, pilot: service.pilot, output: instance.output, final }, range);
  }

  async #named(name: string, description: ResolvedServiceDescription): Promise<ResolvedServiceDescription> {
    const { template, command } = description;
    const bare = template === undefined && command === undefined;
    const named = bare && (await this.templates.has(name)) ? { ...description, template: name } : description;
    return this.templates.complete({ ...named, name });
  }

  #checkSame(live: ServiceRecord, asked: ResolvedServiceDescription): void {
    if (live.origin === 'attached') {
      // Attached by hand under this name; `ensure` without a way to start one just means that service.
      if (asked.template === undefined && asked.command === undefined) return;
      throw new PilothouseError('DESCRIPTION_CHANGED', `service "${live.name}" is there, attached from ${live.url}`, {
        hint: 'Take another name, or stop it first; its server goes on.',
        ids: { service: live.id },
        field: 'name',
        evidence: findDifferences(live.description, asked)
          .map(({ text }) => text)
          .join('\n'),
      });
    }
    const ignore = new Set(['name', 'pilot']);
    refuseChanges('service', live.name, live.id, live.description, asked, ignore);
    const wanted = asked.pilot === undefined ? undefined : this.pilots.get(asked.pilot);
    if (wanted !== undefined && wanted.id !== live.pilot) {
      const pilot = this.context.picture.get('pilot', live.pilot ?? '');
      throw new PilothouseError(
        'DESCRIPTION_CHANGED',
        `service "${live.name}" runs on pilot "${pilot?.name ?? live.pilot}", not on "${wanted.name}"`,
        {
          hint: 'Stop it first, take another name, or leave "pilot" out to use the one that runs.',
          ids: { service: live.id },
          field: 'pilot',
        },
      );
    }
  }

  async #start(asked: ResolvedServiceDescription, { origin, key }: Submission): Promise<ServiceRecord> {
    const { context } = this;
    const place = placeOf(context, origin, asked.cwd);
    const description = await this.templates.complete(asked);
    const plan = await this.templates.plan(description, place);
    refuseStored(await this.credentials.all(), plan);
    const pilot = this.pilots.choose(description.pilot);
    checkFits(demandOf(description.resources), pilot, 'resources.');
    await refuseHopeless(context, plan, description, pilot);
    const { after, before } = this.#order(description);
    const id = newId('service');
    const name = context.names.reserve('service', description.name ?? description.template ?? 'service', id);
    try {
      const createdAt = context.clock.iso();
      const service = newServiceRecord({ id, name, description, plan, pilot, owner: origin.name, createdAt });
      const instances = service.instances.map((instance) => ({ id: instance.id, index: instance.index }));
      const spec = specOf(context.config, { id, name, description, plan, origin, instances, after, before });
      await context.events.append([{ type: 'service.submitted', key, service, spec }]);
      context.link.spooled(pilot.id, await context.spool.append(pilot.id, [{ type: 'service', service: spec }]));
      // The pilot may have ended while this was written: then this ends with it, instead of waiting for ever.
      settlePilot(context.picture, pilot.id, context.clock.iso());
    } catch (error) {
      if (context.picture.get('service', id) === undefined) context.names.release('service', name, id);
      throw error;
    }
    return this.get(id);
  }

  /** Ids of what comes first and of what waits for it; a name that nothing has yet stays a name. */
  #order({ after, before }: ResolvedServiceDescription): { after: string[]; before: string[] } {
    const { names } = this.context;
    return {
      after: after.map((ref) => this.#predecessor(ref)),
      before: before.map((ref) => names.find('service', ref) ?? ref),
    };
  }

  #predecessor(ref: string): string {
    const { picture, names } = this.context;
    const found = names.find('service', ref) ?? names.find('task', ref);
    if (found !== undefined) return found;
    if (picture.has('service', ref) || picture.has('task', ref)) return ref;
    throw new PilothouseError('INVALID_DESCRIPTION', `after: there is no service or task "${ref}"`, {
      hint: 'Start it first, or leave it out.',
      field: 'after',
    });
  }
}
