import { PilothouseError } from '../../errors/index.js';
import type { AnyHandle, Views } from '../types.js';

/** What views need of a handle beyond its public face. */
export interface HandleAccess {
  readonly views: Views;
  /** Resolves once the thing has its id, or will never have one; never rejects. */
  readonly identified: () => Promise<void>;
}

const accesses = new WeakMap<object, HandleAccess>();

/** Lets views reach a handle's session without putting it into the public interface. */
export function grantAccess(handle: object, access: HandleAccess): void {
  accesses.set(handle, access);
}

export function accessOf(handle: AnyHandle): HandleAccess {
  const access = accesses.get(handle);
  if (access) return access;
  throw new PilothouseError(
    'INVALID_DESCRIPTION',
    'show: this is no pilot, task, task set, service, answer or batch of this SDK.',
    {
      field: 'handle',
      hint: 'Show a handle of a session: show(pilot), show(llm), show(llm.chat("…")). Two copies of the SDK do not mix.',
    },
  );
}
