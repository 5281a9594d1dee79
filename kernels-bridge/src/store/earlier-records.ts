type Fields = Record<string, unknown>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A pilot as earlier versions wrote it down: they had no router of their own there. */
export function earlierPilot(value: unknown): unknown {
  return isFields(value) && !('gateway' in value) ? { ...value, gateway: null } : value;
}

/** A service as earlier versions wrote it down: one probe, one port, a fixed number of instances. */
export function earlierService(value: unknown): unknown {
  if (!isFields(value) || 'scale' in value) return value;
  const { instances, load, description } = value;
  return {
    ...value,
    description: isFields(description) ? earlierDescription(description) : description,
    instances: Array.isArray(instances) ? instances.map(earlierInstance) : instances,
    load: isFields(load) ? { p99: null, perSecond: 0, failed: 0, ...load } : load,
    scale: null,
    methods: null,
  };
}

/** What agents of earlier versions were given is of no use to those of today: their pilots have ended, or go on with it. */
export function earlierSpec(value: unknown): unknown {
  return isFields(value) && 'probe' in value ? null : value;
}

/** An answer as earlier versions wrote it down: all questions were chats. */
export function earlierAnswer(value: unknown): unknown {
  if (!isFields(value) || !('messages' in value)) return value;
  const { messages, ...rest } = value;
  return { ...rest, request: { op: 'chat', messages }, revision: null, value: null, attempts: [] };
}

/** A line of an agent's journal as earlier versions wrote it down: instances answered at one address. */
export function earlierLine(value: unknown): unknown {
  if (!isFields(value) || value.type !== 'instance' || !('endpoint' in value)) return value;
  return { ...value, endpoint: earlierEndpoint(value.endpoint) };
}

function earlierDescription({ ready, ...rest }: Fields): Fields {
  return ready === undefined ? rest : { ...rest, probes: { readiness: ready } };
}

function earlierInstance(value: unknown): unknown {
  if (!isFields(value)) return value;
  const { endpoint } = value;
  return { probes: {}, progress: null, draining: false, load: null, ...value, endpoint: earlierEndpoint(endpoint) };
}

function earlierEndpoint(value: unknown): unknown {
  if (!isFields(value) || !('http' in value)) return value;
  const { http, keyFile } = value;
  return { url: http, ports: { http }, keyFile, serverKey: null };
}
