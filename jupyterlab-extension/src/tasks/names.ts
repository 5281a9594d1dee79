import type { Session } from '@pilothouse/sdk';
import { shortId } from '@pilothouse/sdk/internal';
import type { CellContext } from './columns.js';

/** Names of sets and pilots by id, as the picture has them; what it does not know is shown by its id. */
export function cellContext(session: Session): () => CellContext {
  let sets: unknown;
  let setNames: ReadonlyMap<string, string> = new Map();
  let pilots: unknown;
  let pilotNames: ReadonlyMap<string, string> = new Map();
  return () => {
    const { picture } = session;
    if (picture.sets !== sets) {
      sets = picture.sets;
      setNames = new Map(picture.sets.map(({ id, name }) => [id, name]));
    }
    if (picture.pilots !== pilots) {
      pilots = picture.pilots;
      pilotNames = new Map(picture.pilots.map(({ id, name }) => [id, name]));
    }
    return {
      now: Date.now(),
      setName: (id) => setNames.get(id) ?? shortId(id),
      pilotName: (id) => pilotNames.get(id) ?? shortId(id),
    };
  };
}
