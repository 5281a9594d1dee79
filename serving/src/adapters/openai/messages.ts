import { type Message, PilothouseError } from '@pilothouse/sdk/shared';
import type { Target } from '../../types.js';

/** A message as the OpenAI API takes it; `image_path` is for the gateway of a pilot, which reads the file there. */
interface ApiMessage {
  readonly role: Message['role'];
  readonly content: string | readonly ApiPart[];
}
type ApiPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } }
  | { readonly type: 'image_path'; readonly image_path: { readonly path: string } };

/**
 * Messages in the API's own shape. A path is passed on to a gateway, which reads the file next to the instance; to a
 * server without one it would be a meaningless word.
 *
 * @throws PilothouseError UNSUPPORTED_REQUEST
 */
export function apiMessages(messages: readonly Message[], target: Target): ApiMessage[] {
  return messages.map(({ role, content }) => ({
    role,
    content:
      typeof content === 'string'
        ? content
        : content.map((part): ApiPart => {
            if ('text' in part) return { type: 'text', text: part.text };
            if (part.image.startsWith('data:')) return { type: 'image_url', image_url: { url: part.image } };
            if (target.gatewayInstance === undefined) throw noFiles(target.name);
            return { type: 'image_path', image_path: { path: part.image } };
          }),
  }));
}

/** Nobody reads files beside this server for us. */
export function noFiles(name: string): PilothouseError {
  return new PilothouseError(
    'UNSUPPORTED_REQUEST',
    `${name} does not run on a pilot, so no file can be read beside it`,
    {
      hint: 'Ask a service that a pilot runs, or give the image itself as a data: URL.',
      field: 'request.messages',
    },
  );
}
