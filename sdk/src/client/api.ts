import type { ContractRouterClient } from '@orpc/contract';
import type { Contract } from '../contract/index.js';

/** A call as clients see it, with plain iterators where the RPC layer has a class of its own. */
type Call<P> = P extends (...args: infer Arguments) => PromiseLike<infer Output>
  ? (...args: Arguments) => Promise<Output extends AsyncIterator<infer Item> ? AsyncIterator<Item> : Output>
  : never;

type Calls<R> = { readonly [Name in keyof R]: Call<R[Name]> };

type Client = ContractRouterClient<Contract>;

/** The contract as a client calls it. Transports (socket, in memory) implement it; nothing public mentions it. */
export type BridgeApi = { readonly [Router in keyof Client]: Calls<Client[Router]> };
