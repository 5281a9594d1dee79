import {
  type LogChunk,
  newId,
  PilothouseError,
  type PilotRecord,
  type ResolvedServiceDescription,
  type ServiceRecord,
} from '@pilothouse/sdk/internal';
import type { Context } from '../context.js';
import type { Explanation } from '../engines/index.js';
import { newInstance } from '../picture/apply-services.js';
import { NO_LOAD } from '../picture/service-state.js';
import { settlePilot } from '../picture/settle.js';
import type { LaunchPlan, TemplateRegistry } from '../templates/index.js';
import { findDifferences, refuseChanges } from './differences.js';
import { Once, Sequence } from './once.js';
import { type LogRange, OutputReader } from './output-reader.js';
import type { PilotManager, Submission } from './pilot-manager.js';
import { findRef } from './refs.js';
import { specOf } from './service-spec.js';
import { checkFits, demandOf } from './tasks/demand.js';

/** What a look beforehand has found. */
export interface Finding {
  ok: boolean;
  text: string;
  remedy: string | null;
}

/** Services: started on pilots, found again, probed, read, stopped. Those of others are attached elsewhere and stopped here. */
export class ServiceManager {
  readonly #starts = new Once<ServiceRecord>();
  readonly #ensures = new Sequence();
  readonly #output: OutputReader;

  constructor(
    private readonly context: Context,
    private readonly pilots: PilotManager,
    private readonly templates: TemplateRegistry,
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
      if (live === undefined) return this.start({ ...this.#named(name, description), name }, submission);
      this.#checkSame(live, this.#named(name, description));
      return live;
    });
  }

  /** What would be run, and the sentence that says what is asked for. */
  async preview(
    description: ResolvedServiceDescription,
  ): Promise<{ sentence: string; command: string[]; findings: Finding[] }> {
    const plan = await this.templates.plan(description);
    const { cores, gpus } = description.resources;
    const each = [`${cores} ${cores === 1 ? 'core' : 'cores'}`, ...(gpus > 0 ? [`${gpus} GPU`] : [])].join(' and ');
    const { instances } = description;
    const count =
      typeof instances === 'number' ? `${instances}` : `${instances.min} to ${instances.max}, by what there is to do,`;
    const name = description.name ?? description.template ?? 'service';
    const word = instances === 1 ? 'instance' : 'instances';
    return {
      sentence: `Starts "${name}": ${count} ${word} with ${each} each.`,
      command: [...plan.command],
      findings: [],
    };
  }

  get(ref: string): ServiceRecord {
    return findRef(this.context.picture, this.context.names, 'service', ref);
  }

  list(all: boolean): ServiceRecord[] {
    return [...this.context.picture.list('service')].filter(({ endedAt }) => all || endedAt === null);
  }

  explain(ref: string): Explanation {
    const service = this.get(ref);
    const evidence = service.instances
      .filter(({ state }) => state !== 'READY')
      .flatMap(({ index, state, reason, error, stderrTail }) => [
        `instance ${index} is ${state}${reason === null ? '' : `: ${reason.text}`}`,
        ...(error === null ? [] : [error.message]),
        ...(stderrTail === null ? [] : [stderrTail]),
      ]);
    if (service.error !== null) return { text: service.error.message, evidence };
    if (service.contact.lost) return { text: `not reachable since ${service.contact.since}`, evidence };
    const pilot = service.pilot === null ? undefined : this.context.picture.get('pilot', service.pilot);
    if (service.state === 'STARTING' && pilot !== undefined && pilot.state !== 'ACTIVE') {
      const why = this.pilots.explain(pilot.id);
      return { text: `waits for pilot "${pilot.name}", which is ${pilot.state}: ${why.text}`, evidence: why.evidence };
    }
    const plain = service.state === 'READY' ? 'nothing stands in its way' : `it is ${service.state}`;
    return { text: service.reason?.text ?? plain, evidence };
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

  #named(name: string, description: ResolvedServiceDescription): ResolvedServiceDescription {
    const { template, command } = description;
    return template === undefined && command === undefined && this.templates.has(name)
      ? { ...description, template: name }
      : description;
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

  async #start(description: ResolvedServiceDescription, { origin, key }: Submission): Promise<ServiceRecord> {
    const { context } = this;
    const plan = await this.templates.plan(description);
    const pilot = this.pilots.choose(description.pilot);
    checkFits(demandOf(description.resources), pilot, 'resources.');
    const id = newId('service');
    const name = context.names.reserve('service', description.name ?? description.template ?? 'service', id);
    try {
      const service = this.#record(id, name, description, plan, pilot, origin.name);
      const { after, before } = this.#order(description);
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

  #record(
    id: string,
    name: string,
    description: ResolvedServiceDescription,
    plan: LaunchPlan,
    pilot: PilotRecord,
    owner: string,
  ): ServiceRecord {
    const createdAt = this.context.clock.iso();
    const contact = pilot.contact;
    const count = typeof description.instances === 'number' ? description.instances : description.instances.min;
    const instances = Array.from({ length: count }, (_, index) =>
      newInstance(newId('instance'), index + 1, createdAt, contact),
    );
    const waits = { code: 'WAITS_FOR_PILOT', text: `waits for pilot "${pilot.name}" to start`, since: createdAt };
    return {
      kind: 'service',
      id,
      name,
      seq: 0,
      state: 'STARTING',
      since: createdAt,
      reason: pilot.state === 'ACTIVE' ? null : waits,
      contact,
      error: null,
      times: { STARTING: createdAt },
      owner,
      createdAt,
      endedAt: null,
      api: plan.api,
      origin: 'launched',
      description,
      template: description.template ?? null,
      pilot: pilot.id,
      model: plan.model,
      url: null,
      credential: null,
      openToNode: !plan.authenticated,
      instances,
      scale: scaleReport(description),
      methods: null,
      load: NO_LOAD,
    };
  }
}

function scaleReport({ instances }: ResolvedServiceDescription): ServiceRecord['scale'] {
  if (typeof instances === 'number') return null;
  const { min, max } = instances;
  return { min, max, wanted: min, why: null, since: null };
}
