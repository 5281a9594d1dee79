import { type EngineName, type EngineReport, engineReportSchema, PilothouseError } from '@pilothouse/sdk/internal';
import type { Engine } from './engine.js';

/** The engines there are, by name. */
export class EngineRegistry {
  readonly #engines: ReadonlyMap<EngineName, Engine>;

  constructor(engines: readonly Engine[]) {
    this.#engines = new Map(engines.map((engine) => [engine.name, engine]));
  }

  all(): Engine[] {
    return [...this.#engines.values()];
  }

  get(name: EngineName): Engine {
    const engine = this.#engines.get(name);
    if (engine === undefined) {
      throw new PilothouseError('ENGINE_UNAVAILABLE', `there is no engine "${name}" here`, {
        hint: `Use ${[...this.#engines.keys()].join(' or ')}.`,
        field: 'engine',
      });
    }
    return engine;
  }

  /** What each engine can give, checked against the contract. */
  async report(): Promise<EngineReport[]> {
    return Promise.all(this.all().map(async (engine) => engineReportSchema.parse(await engine.capabilities())));
  }
}
