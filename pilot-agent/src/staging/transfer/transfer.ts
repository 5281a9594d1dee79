import type { Run } from '../run.js';

/** A file or folder on this node that is to be sent, and where it goes below the target. */
export interface Outgoing {
  /** Absolute. */
  readonly path: string;
  readonly below: string;
}

/** A way to bring files from another machine, and to send them there. One per URL scheme. */
export interface Transfer {
  /** As a URL has it: `https:`. */
  readonly protocols: readonly string[];
  /**
   * Brings what the URL names, by its own name, into a folder that is there for nothing else. What an earlier, interrupted
   * attempt has left in it may be gone on with.
   *
   * @throws PilothouseError DATA_NOT_FOUND, STAGING_FAILED, DISK_FULL
   */
  fetch(run: Run, url: URL, folder: string): Promise<void>;
  /**
   * Sends files so that each is there under its name only when it is whole.
   *
   * @param into - the URL names a folder
   */
  send(run: Run, files: readonly Outgoing[], url: URL, into: boolean): Promise<void>;
}
