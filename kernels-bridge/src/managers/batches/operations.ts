import {
  type BatchDescription,
  PilothouseError,
  type ResolvedBatchDescription,
  type ServiceApi,
  type ServiceRecord,
} from '@pilothouse/sdk/internal';

type Operation = NonNullable<BatchDescription['op']>;

/** What batches can ask of each kind of service. */
const OPERATIONS: Readonly<Record<ServiceApi, readonly Operation[]>> = {
  openai: ['chat', 'complete', 'embed', 'openai'],
  ollama: ['chat', 'complete', 'embed', 'openai'],
  'open-inference': ['infer'],
  zeromq: ['call'],
  'ru-zmq': ['call'],
  rest: ['openai'],
  any: [],
};

/** @throws PilothouseError UNSUPPORTED_REQUEST, INVALID_DESCRIPTION */
export function checkOperation({ id, name, api }: ServiceRecord, { op, method }: ResolvedBatchDescription): void {
  const possible = OPERATIONS[api];
  if (!possible.includes(op)) {
    const hint =
      possible.length === 0
        ? 'Pilothouse only starts and watches it; call it from tasks.'
        : `Use op ${possible.map((one) => `"${one}"`).join(' or ')}.`;
    throw new PilothouseError('UNSUPPORTED_REQUEST', `service "${name}" (${api}) takes no batch of "${op}"`, {
      hint,
      field: 'op',
      ids: { service: id },
    });
  }
  if (op === 'call' && api === 'zeromq' && method === undefined) {
    throw new PilothouseError('INVALID_DESCRIPTION', 'a batch of calls needs the name of the method', {
      hint: 'Give it as "method".',
      field: 'method',
    });
  }
}
