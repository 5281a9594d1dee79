import { type AnswerRecord, newId, PilothouseError, type ViewBundle } from '@pilothouse/sdk/internal';
import { filter, firstValueFrom } from 'rxjs';
import { type AnyAnswer, ask } from '../session/ask.js';
import type { IPilothouse } from '../tokens.js';

/**
 * Asks the same again and makes the output for it, a view of its own. An answer that Pilothouse has let go of meanwhile
 * is asked afresh at the service of that name.
 */
export async function retryAnswer({ session }: IPilothouse, record: AnswerRecord): Promise<ViewBundle> {
  const again = await askAgain();
  try {
    const submitted = await firstValueFrom(
      again.record$.pipe(filter((known) => known.id !== '' || known.error !== null)),
    );
    if (submitted.id === '' && submitted.error !== null) throw PilothouseError.from(submitted.error);
    const viewId = newId('view');
    return await session.views.render(viewId, { kind: 'answer', id: submitted.id });
  } finally {
    again.close();
  }

  async function askAgain(): Promise<AnyAnswer> {
    try {
      const old = await session.answers.get(record.id);
      return old.retry();
    } catch (error) {
      if (!(error instanceof PilothouseError) || error.code !== 'ANSWER_NOT_FOUND') throw error;
      const service = await session.services.get(record.service.name);
      return ask(service, record.request, record.options);
    }
  }
}
