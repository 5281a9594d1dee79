import { PilothouseError } from '@pilothouse/sdk/internal';
import { CommandIDs, type IPilothouse } from '../tokens.js';

const DEMO_PILOT = 'demo';
const DEMO_SERVICE = 'smollm2';

/** A pilot of two cores for an hour with the demo model on it; twice is the same as once. */
export async function tryDemo({ commands, session, trans }: IPilothouse): Promise<void> {
  const engines = await session.engines();
  const engine = engines.find((one) => one.available);
  if (engine === undefined) {
    throw new PilothouseError('ENGINE_UNAVAILABLE', trans.__('no pilot can be made here'), {
      hint: engines[0]?.reason ?? undefined,
    });
  }
  const pilot = await session.pilots.ensure(DEMO_PILOT, { cores: Math.min(2, engine.limits.cores), runtime: '1h' });
  const service = await session.services.ensure(DEMO_SERVICE, { pilot });
  await commands.execute(CommandIDs.openService, { id: service.id });
  pilot.close();
  service.close();
}
