import { formatSeconds } from '@pilothouse/sdk/internal';
import type { Span } from './lanes.js';

/** What a span held: `cores 0–3, GPU 1`. */
export function held({ cores, gpus, node }: Span, nothing: string): string {
  const parts = [
    ...(cores.length > 0 ? [`${cores.length === 1 ? 'core' : 'cores'} ${cores.join(', ')}`] : []),
    ...(gpus.length > 0 ? [`${gpus.length === 1 ? 'GPU' : 'GPUs'} ${gpus.join(', ')}`] : []),
  ];
  return `${parts.length === 0 ? nothing : parts.join(', ')} (${node})`;
}

/** How long a span is. */
export function formatSpan(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  return milliseconds < 10_000 ? `${(milliseconds / 1000).toFixed(1)} s` : formatSeconds(milliseconds / 1000);
}
