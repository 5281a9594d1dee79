import { HttpClient } from './adapters/http-client.js';
import { OpenAiApi } from './adapters/openai.js';
import type { Context } from './context.js';
import { Credentials } from './credentials/credentials.js';
import { Addresses } from './managers/answers/addresses.js';
import { AnswerManager } from './managers/answers/answer-manager.js';
import { AttachedServices } from './managers/attached-services.js';
import { ViewManager } from './managers/views/view-manager.js';
import { Router } from './router/router.js';
import { DEFAULT_CONCURRENCY } from './templates/index.js';

/** The parts of a bridge that call services and keep what they answer. */
export interface Calls {
  readonly credentials: Credentials;
  readonly attached: AttachedServices;
  readonly answers: AnswerManager;
  readonly views: ViewManager;
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
  const http = new HttpClient();
  const openai = new OpenAiApi(http);
  const credentials = new Credentials(home);
  const router = new Router(picture, clock, ({ description }) => description.routing?.concurrency ?? DEFAULT_CONCURRENCY);
  const answers = new AnswerManager({
    home,
    epoch,
    clock,
    logger,
    picture,
    keys,
    names,
    router,
    apis: { openai },
    addresses: new Addresses(credentials),
  });
  await answers.load();
  const attached = new AttachedServices(context, openai, credentials);
  attached.start();
  const views = new ViewManager(picture, names, answers);
  return {
    credentials,
    attached,
    answers,
    views,
    close: async () => {
      attached.close();
      views.close();
      router.close();
      await answers.close();
      http.close();
    },
  };
}
