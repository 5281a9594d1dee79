import { nameSchema, type RecordKind } from '@pilothouse/sdk/internal';
import type { Picture } from '../picture/picture.js';

/** States in which a thing still has its id but gives its name free for a next one. */
const LEAVING: ReadonlySet<string> = new Set(['DRAINING', 'STOPPING', 'STOPPED', 'DONE', 'FAILED', 'CANCELED']);

/** The names in use: unique among the live things of each kind, the second `smollm2` is `smollm2-2`. */
export class Names {
  readonly #taken = new Map<string, string>();
  readonly #next = new Map<string, number>();

  constructor(picture: Picture) {
    picture.onChange(({ kind, id }) => {
      if (kind === 'answer') return;
      if (kind === 'task') this.#followTask(picture, id);
      else if (kind === 'set') this.#followSet(picture, id);
      else {
        const record = picture.get(kind, id);
        if (record !== undefined) this.#follow(kind, record);
      }
    });
  }

  /** The id of the live thing of that name. */
  find(kind: RecordKind, name: string): string | undefined {
    return this.#taken.get(`${kind}:${name}`);
  }

  /**
   * Takes a name for a thing that is about to be: the wanted one, or with the next free number.
   *
   * @param wanted - need not be a valid name; what does not fit is replaced
   */
  reserve(kind: RecordKind, wanted: string, id: string): string {
    const base = validName(wanted);
    let name = base;
    if (this.#taken.has(`${kind}:${base}`)) {
      // Remembering the number makes the thousandth "python" as cheap as the second.
      let number = this.#next.get(`${kind}:${base}`) ?? 2;
      do {
        name = `${base.slice(0, 63 - String(number).length - 1)}-${number}`;
        number += 1;
      } while (this.#taken.has(`${kind}:${name}`));
      this.#next.set(`${kind}:${base}`, number);
    }
    this.#taken.set(`${kind}:${name}`, id);
    return name;
  }

  /** Gives a name back; only the thing that holds it can. */
  release(kind: RecordKind, name: string, id: string): void {
    const key = `${kind}:${name}`;
    if (this.#taken.get(key) !== id) return;
    this.#taken.delete(key);
    const base = /^(.*)-\d+$/.exec(name)?.[1];
    this.#next.delete(key);
    if (base !== undefined) this.#next.delete(`${kind}:${base}`);
  }

  /** Tasks of sets are found by their set; their names are as users gave them. */
  #followTask({ tasks }: Picture, id: string): void {
    const slot = tasks.singles.get(id);
    if (slot !== undefined) this.#follow('task', { id, name: tasks.nameOf(slot), state: tasks.state(slot) });
  }

  #followSet({ tasks }: Picture, id: string): void {
    const set = tasks.set(id);
    if (set !== undefined) this.#follow('set', { id, name: set.facts.name, state: set.state });
  }

  #follow(kind: RecordKind, { id, name, state }: { id: string; name: string; state: string }): void {
    if (LEAVING.has(state)) this.release(kind, name, id);
    else if (this.find(kind, name) === undefined) this.#taken.set(`${kind}:${name}`, id);
  }
}

/** The text as a name: what a name cannot hold becomes a dash. */
export function validName(text: string): string {
  const cleaned = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63);
  return nameSchema.safeParse(cleaned).success ? cleaned : 'unnamed';
}
