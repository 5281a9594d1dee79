import { createAdapters } from '@pilothouse/serving';
import type { Context } from './context.js';
import { Credentials } from './credentials/credentials.js';
import { AnswerManager } from './managers/answers/answer-manager.js';
import { Targets } from './managers/answers/targets.js';
import { AttachedServices } from './managers/attached-services.js';
import { ViewManager } from './managers/views/view-manager.js';
import { ServiceDirectory } from './router/service-directory.js';
import { DEFAULT_CONCURRENCY } from './templates/index.js';

/** The parts of a bridge that call services and keep what they answer. */
export interface Calls {
  readonly credentials: Credentials;
  readonly attached: AttachedServices;
  readonly answers: AnswerManager;
  readonly views: ViewManager;
  /** Where requests are sent, and what came of them. */
  readonly directory: ServiceDirectory;
  /** Ends what waits and writes what is not written yet; answers under way end with the bridge. */
  close(): Promise<void>;
}

/**
 * Builds those parts over a restored picture and brings back the answers that earlier bridges kept.
 *
 * @throws PilothouseError LOG_DAMAGED
 */
export async function openCalls(context: Context): Promise<Calls> {
  const { clock, epoch, keys, log: logger, names, picture } = context;
  const { home } = context.config;
  const credentials = new Credentials(home);
  const adapters = createAdapters();
  const targets = new Targets(credentials, adapters, picture);
  const directory = new ServiceDirectory({
    picture,
    clock,
    link: context.link,
    concurrency: ({ description }) => description.routing.concurrency ?? DEFAULT_CONCURRENCY,
    targetOf: (service, instance, signal) => targets.of(service, instance, signal),
  });
  credentials.onChange(() => directory.forgetTargets());
  const answers = new AnswerManager({
    home,
    epoch,
    clock,
    logger,
    picture,
    keys,
    names,
    directory,
    adapters,
    targets,
  });
  await answers.load();
  const attached = new AttachedServices(context, adapters, credentials);
  attached.start();
  const views = new ViewManager(picture, names, answers);
  return {
    credentials,
    attached,
    answers,
    views,
    directory,
    close: async () => {
      attached.close();
      views.close();
      directory.close();
      await answers.close();
      adapters.close();
    },
  };
}
