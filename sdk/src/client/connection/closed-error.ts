import { PilothouseError } from '../../errors/index.js';

/** The error of everything that still waited when the session was closed. */
export function closedError(): PilothouseError {
  return new PilothouseError('CLOSED', 'The session was closed.', { hint: 'Connect again with connect().' });
}
