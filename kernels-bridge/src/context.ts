import type { Clock } from './clock.js';
import type { Config } from './config.js';
import type { EngineRegistry } from './engines/registry.js';
import type { AgentLink } from './link/agent-link.js';
import type { JournalIntake } from './link/journal-intake.js';
import type { Logger } from './logger.js';
import type { Names } from './managers/names.js';
import type { Keys } from './picture/keys.js';
import type { Picture } from './picture/picture.js';
import type { SpoolWriter } from './spool/spool-writer.js';
import type { EventLog } from './store/event-log.js';

/** What the managers of a bridge share. Built once, in `bridge.ts`. */
export interface Context {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly epoch: number;
  readonly picture: Picture;
  readonly keys: Keys;
  readonly names: Names;
  readonly events: EventLog;
  readonly spool: SpoolWriter;
  readonly link: AgentLink;
  readonly intake: JournalIntake;
  readonly engines: EngineRegistry;
}
