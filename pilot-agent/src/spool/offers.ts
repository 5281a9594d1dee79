import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type PilotFile, type TaskBatch, toSeconds } from '@pilothouse/sdk/shared';
import { log } from '../log.js';

/** Tasks that were offered to several pilots at once. */
export interface Offer {
  readonly offer: string;
  readonly batch: TaskBatch;
}

/** What claims need of the agent. */
export interface OfferListener {
  /** Whether more work would find room, or there is nothing else to do. */
  hasRoom(): boolean;
  /** seconds that the pilot has left */
  left(): number;
  /** An offer is this pilot's. */
  claimed(offer: Offer): void;
}

/**
 * Offers stand in the spools of several pilots. An offer is the pilot's whose agent was the first to link a file of that
 * name, with its own id inside, into the folder of claims; that is one step, and lasts, whoever is killed when.
 */
export class Offers {
  readonly #pilot: string;
  readonly #folder: string;
  readonly #listener: OfferListener;
  readonly #open: Offer[] = [];
  readonly #canceled = new Set<string>();
  #claiming = false;
  #closed = false;

  constructor(pilot: PilotFile, listener: OfferListener) {
    this.#pilot = pilot.id;
    // Beside the pilots' folders, where all of them see it.
    this.#folder = join(process.env.PILOTHOUSE_HOME ?? join(pilot.folder, '..', '..'), 'claims');
    this.#listener = listener;
  }

  add(offer: Offer): void {
    this.#open.push(offer);
    this.pump();
  }

  /** Takes tasks out of what may still be claimed; the bridge says what becomes of them. */
  cancel(ids: readonly string[], set: string | undefined): void {
    for (const id of ids) this.#canceled.add(id);
    if (set === undefined) return;
    for (let index = this.#open.length - 1; index >= 0; index -= 1) {
      if (this.#open[index]?.batch.set === set) this.#open.splice(index, 1);
    }
  }

  /** Claims as long as there is room. */
  pump(): void {
    if (this.#claiming || this.#closed || this.#open.length === 0) return;
    this.#claiming = true;
    void this.#claimAll()
      .catch((error: unknown) => log('offers cannot be claimed; trying again with the next', error))
      .finally(() => {
        this.#claiming = false;
      });
  }

  /** Claims nothing any more. */
  close(): void {
    this.#closed = true;
  }

  async #claimAll(): Promise<void> {
    let next = this.#next();
    while (next !== undefined) {
      if (await claim(this.#folder, next.offer, this.#pilot)) this.#listener.claimed(this.#without(next));
      next = this.#next();
    }
  }

  #next(): Offer | undefined {
    if (this.#closed || !this.#listener.hasRoom()) return undefined;
    const left = this.#listener.left();
    const index = this.#open.findIndex(({ batch }) => mayStart(batch, left));
    return index < 0 ? undefined : this.#open.splice(index, 1)[0];
  }

  #without(offer: Offer): Offer {
    const tasks = offer.batch.tasks.filter(({ id }) => !this.#canceled.has(id));
    return tasks.length === offer.batch.tasks.length ? offer : { ...offer, batch: { ...offer.batch, tasks } };
  }
}

/** Whether a batch has a task that says it can be done in the time left, or says nothing. */
function mayStart({ template, tasks }: TaskBatch, left: number): boolean {
  return tasks.some(({ entry }) => {
    const expected = entry.expectedDuration ?? template.expectedDuration;
    return expected === undefined || toSeconds(expected) <= left;
  });
}

/** Makes a claim; tells whether the offer is this pilot's, by now or already. */
async function claim(folder: string, offer: string, pilot: string): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, offer);
  const own = join(folder, `.${offer}.${pilot}`);
  const made = await open(own, 'w', 0o600);
  try {
    await made.writeFile(pilot);
    await made.datasync();
  } finally {
    await made.close();
  }
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    // Another one was faster, or this pilot was, before its agent was killed.
    return (await readFile(file, 'utf8')) === pilot;
  } finally {
    await unlink(own);
  }
}
