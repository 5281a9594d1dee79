/** What the demo model answers without end, with temperature 0: other prompts it is soon done with. */
export const ENDLESS_PROMPT = 'Write the numbers from 1 to 2000, one per line, without leaving any out.';

/** How long answers of a service for {@link longAnswer} may become, in tokens. */
export const LONG_CONTEXT = 8192;

/**
 * Code of a cell that asks the demo service for an answer which lasts until it is stopped. It takes the pilot "demo" and
 * the service "smollm2", or makes them.
 */
export function longAnswer(kernel: 'python3' | 'tslab' | 'deno', maxTokens = 900): string {
  if (kernel === 'python3') {
    return `import pilothouse as ph
s = ph.connect()
pilot = s.pilots.ensure("demo", cores=2, runtime="1h")
llm = s.services.ensure("smollm2", pilot=pilot)
llm.chat("${ENDLESS_PROMPT}", max_tokens=${maxTokens}, temperature=0)`;
  }
  return `import { connect } from '@pilothouse/sdk/node';
import { show } from '@pilothouse/sdk/notebook';
const session = await connect();
const pilot = await session.pilots.ensure('demo', { cores: 2, runtime: '1h' });
const llm = await session.services.ensure('smollm2', { pilot });
show(llm.chat('${ENDLESS_PROMPT}', { maxTokens: ${maxTokens}, temperature: 0 }));`;
}
