import { AnswerHandle } from '../handles/answer-handle.js';
import type { Core } from '../handles/core.js';
import type { Answers } from '../types.js';
import { reference } from './reference.js';

/** `session.answers` */
export function answersOf(core: Core): Answers {
  const { caller, store } = core;
  return {
    async get(ref, options) {
      const record = await caller.call(`answer ${ref}`, options, (api, signal) => api.answers.get({ ref }, { signal }));
      return AnswerHandle.of(core, store.answers.put(record));
    },
    async search({ text = '', service, state, skip = 0, limit = 50, ...options } = {}) {
      const states = state === undefined ? {} : { states: typeof state === 'string' ? [state] : [...state] };
      const of = service === undefined ? {} : { service: reference(service) };
      const { answers, total } = await caller.call('searching answers', options, (api, signal) =>
        api.answers.search({ text, ...of, ...states, skip, limit }, { signal }),
      );
      return { answers: answers.map((record) => AnswerHandle.of(core, store.answers.put(record))), total };
    },
    async list({ all = false, ...options } = {}) {
      const records = await caller.call('listing answers', options, (api, signal) =>
        api.answers.list({ all }, { signal }),
      );
      return records.map((record) => AnswerHandle.of(core, store.answers.put(record)));
    },
  };
}
