import { readFileSync } from 'node:fs';
import type { ServiceRecord } from './api.js';

/** The first instance's own server, asked directly and with its own key: what really goes on there. */
export class LlamaServer {
  readonly url: string;
  readonly key: string;

  constructor(service: ServiceRecord) {
    const endpoint = service.instances[0]?.endpoint;
    if (!endpoint) throw new Error(`${service.name} has no endpoint`);
    if (endpoint.keyFile === null) throw new Error(`${service.name} asks for no key`);
    this.url = endpoint.url;
    this.key = readFileSync(endpoint.keyFile, 'utf8').trim();
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** How many of its slots are at work at this moment. */
  async processing(): Promise<number> {
    const response = await fetch(`${this.url}/slots`, { headers: { authorization: `Bearer ${this.key}` } });
    if (!response.ok) throw new Error(`${this.url}/slots: ${response.status} ${await response.text()}`);
    const slots: unknown = await response.json();
    if (!Array.isArray(slots)) throw new Error('/slots gave no list');
    return slots.filter(
      (slot: unknown) => typeof slot === 'object' && slot !== null && 'is_processing' in slot && slot.is_processing,
    ).length;
  }
}
