import { StandardRPCJsonSerializer } from '@orpc/client/standard';

/**
 * Leaves values as they are: everything in the contract is plain JSON. The usual serializer looks into every value of
 * every message for dates, sets and the like that are never there, which took as long as all the rest of a batch of
 * results.
 */
export class PlainSerializer extends StandardRPCJsonSerializer {
  override serialize(
    ...[data, , meta = [], maps = [], blobs = []]: Parameters<StandardRPCJsonSerializer['serialize']>
  ): ReturnType<StandardRPCJsonSerializer['serialize']> {
    return [data, meta, maps, blobs];
  }
}
