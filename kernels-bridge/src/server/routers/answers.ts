import type { AnswerManager } from '../../managers/answers/answer-manager.js';
import { streamBatches } from '../../streams/stream.js';
import { os } from '../implementer.js';

export function answersRouter(answers: AnswerManager) {
  return {
    ask: os.answers.ask.handler(({ input }) => answers.ask(input)),
    search: os.answers.search.handler(({ input }) => answers.search(input)),
    get: os.answers.get.handler(({ input }) => answers.get(input.ref)),
    list: os.answers.list.handler(({ input }) => answers.list(input.all)),
    follow: os.answers.follow.handler(({ input, context, signal }) => {
      // Found before the stream begins, so that a wrong id is an error of the call.
      const answer = answers.get(input.id);
      const open = () => answers.follow(answer.id, input.from);
      // Tokens are never held back.
      return streamBatches(open, input, context.connection.credits, signal ?? new AbortController().signal, 0);
    }),
    stop: os.answers.stop.handler(({ input }) => answers.stop(input.ref)),
    retry: os.answers.retry.handler(({ input: { ref, origin, key } }) => answers.retry(ref, origin, key)),
  };
}
