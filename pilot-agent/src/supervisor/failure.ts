import { access } from 'node:fs/promises';
import { PilothouseError, type ServiceSpec } from '@pilothouse/sdk/shared';

const ADDRESS_IN_USE = /address (is )?already in use|EADDRINUSE|(could ?n[o']t|can ?not|failed to) bind/i;

/**
 * Checks the files without which a service cannot start.
 *
 * @throws PilothouseError MODEL_NOT_FOUND with the path of the first that is missing
 */
export async function checkNeeds(service: ServiceSpec): Promise<void> {
  for (const path of service.needs) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (!found) {
      throw new PilothouseError('MODEL_NOT_FOUND', `${service.name} needs ${path}, which is not there`, {
        hint: `Put the file at ${path}, or start the service with another one.`,
        ids: { service: service.id },
      });
    }
  }
}

/** What the end of a service's process means, from how it ended and what it said last. */
export function diagnose(
  service: ServiceSpec,
  instance: string,
  ended: string,
  stderrTail: string,
  ports: readonly string[],
): PilothouseError {
  const options = { ids: { service: service.id, instance }, ...(stderrTail ? { evidence: stderrTail } : {}) };
  if (ADDRESS_IN_USE.test(stderrTail)) {
    const which = ports.length === 1 ? `port ${ports[0]}` : `one of the ports ${ports.join(', ')}`;
    const fixed = service.ports.some(({ port }) => port !== undefined);
    return new PilothouseError('PORT_IN_USE', `${service.name}: ${which} was taken by another process`, {
      ...options,
      hint: fixed
        ? 'Leave the port out of the description, so that a free one is chosen, or end what listens there.'
        : 'It is started on another port by itself.',
    });
  }
  return new PilothouseError('SERVICE_FAILED', `${service.name} ${ended}`, {
    ...options,
    hint: stderrTail ? 'The last lines of its error output say why.' : 'It said nothing on its error output.',
  });
}
