import { type Implementer, implement } from '@orpc/server';
import { type Contract, contract } from '@pilothouse/sdk/internal';
import type { Connection } from './connection.js';

/** What every handler knows of its call. */
export interface CallContext {
  readonly connection: Connection;
  readonly [key: string]: unknown;
}

/**
 * The contract, ready to be implemented. Outputs are not checked a second time at run time: the types hold them to the
 * contract, and checking every event would cost more than sending it.
 */
/** Said, since it is too large for the compiler to write it out. */
type Os = Implementer<Contract, CallContext, CallContext>;

export const os: Os = implement(contract).$context<CallContext>().$config({ initialOutputValidationIndex: Number.NaN });

/** The same without checking inputs: for calls that check theirs by themselves, being too large for the usual way. */
export const unchecked: Os = implement(contract)
  .$context<CallContext>()
  .$config({ initialInputValidationIndex: Number.NaN, initialOutputValidationIndex: Number.NaN });
