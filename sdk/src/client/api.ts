import type { ContractRouterClient } from '@orpc/contract';
import type { Contract } from '../contract/index.js';

/** The contract as a client calls it. Transports (socket, in memory) implement it; nothing public mentions it. */
export type BridgeApi = ContractRouterClient<Contract>;
