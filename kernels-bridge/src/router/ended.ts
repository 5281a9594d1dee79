import { PilothouseError, type ServiceRecord } from '@pilothouse/sdk/internal';

/** Why a service that is no more cannot answer. */
export function ended(service: ServiceRecord): PilothouseError {
  const ids = { service: service.id };
  if (service.state === 'FAILED') {
    const why = service.error === null ? '' : `: ${service.error.message}`;
    return new PilothouseError('SERVICE_FAILED', `the service ${service.name} failed${why}`, {
      hint: service.error?.hint ?? 'See its log, then start it again.',
      ids,
      evidence: service.error?.evidence,
    });
  }
  const doing = service.state === 'STOPPING' ? 'is being stopped' : 'was stopped';
  return new PilothouseError('SERVICE_STOPPED', `the service ${service.name} ${doing}`, {
    hint: 'Start it again.',
    ids,
  });
}

export function notFound(id: string): PilothouseError {
  return new PilothouseError('SERVICE_NOT_FOUND', `there is no service ${id} any more`, {
    hint: 'Start it again.',
    ids: { service: id },
  });
}
