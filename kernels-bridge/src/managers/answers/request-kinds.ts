import type { Message, ServiceRequest } from '@pilothouse/sdk/internal';

/** Characters of a prompt by which an instance is chosen that has seen its beginning. */
const PREFIX = 8_192;

/**
 * Whether asking twice does no harm: models only compute, and HTTP says of its methods which may be repeated. A method
 * of a service of one's own may do anything, so it is asked again only where it cannot have been reached.
 */
export function isRepeatable(request: ServiceRequest): boolean {
  if (request.op === 'call') return false;
  return request.op !== 'rest' || request.method === 'GET' || request.method === 'PUT' || request.method === 'DELETE';
}

/** Whether the answer comes in pieces, so that the first of them tells that the instance works on it. */
export function comesInPieces(request: ServiceRequest): boolean {
  if (request.op === 'infer' || request.op === 'call') return request.stream;
  return request.op === 'chat' || request.op === 'complete';
}

/** Whether it names files that are read next to the instance. */
export function namesFiles(request: ServiceRequest): boolean {
  if (request.op !== 'chat') return false;
  return request.messages.some(
    ({ content }) =>
      typeof content !== 'string' && content.some((part) => 'image' in part && !part.image.startsWith('data:')),
  );
}

/** Beginning of the prompt; undefined where there is none. */
export function prefixOf(request: ServiceRequest): string | undefined {
  if (request.op === 'complete') return request.prompt.slice(0, PREFIX);
  if (request.op !== 'chat') return undefined;
  return request.messages.map(textOf).join('\n').slice(0, PREFIX);
}

function textOf({ role, content }: Message): string {
  const text =
    typeof content === 'string' ? content : content.map((part) => ('text' in part ? part.text : part.image)).join('\n');
  return `${role}: ${text}`;
}
