import type { ServiceRequest } from '@pilothouse/sdk/internal';

/** What a request asks, in one line. */
export function asked(request: ServiceRequest): string {
  switch (request.op) {
    case 'chat': {
      const last = request.messages.at(-1)?.content ?? '';
      if (typeof last === 'string') return oneLine(last);
      return oneLine(last.map((part) => ('text' in part ? part.text : `[${part.image}]`)).join(' '));
    }
    case 'complete':
      return oneLine(request.prompt);
    case 'embed':
      return oneLine(request.input.join(' · '));
    case 'infer':
      return request.inputs.map(({ name, datatype, shape }) => `${name} ${datatype} ${shape.join('×')}`).join(' · ');
    case 'call':
      return oneLine(`${request.method} ${JSON.stringify(request.input) ?? ''}`);
    case 'rest':
      return `${request.method} ${request.path}`;
  }
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 300);
}
