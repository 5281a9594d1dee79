/** What the demo model answers without end, with temperature 0: other prompts it is soon done with. */
export const ENDLESS_PROMPT = 'Write the numbers from 1 to 2000, one per line, without leaving any out.';

/** Code of a cell that asks the running demo service for an answer which lasts until it is stopped. */
export function longAnswer(kernel: 'python3' | 'tslab' | 'deno', maxTokens = 900): string {
  if (kernel === 'python3') {
    return `import pilothouse as ph
llm = ph.connect().services.get("smollm2")
llm.chat("${ENDLESS_PROMPT}", max_tokens=${maxTokens}, temperature=0)`;
  }
  return `import { connect } from '@pilothouse/sdk/node';
import { show } from '@pilothouse/sdk/notebook';
const session = await connect();
const llm = await session.services.get('smollm2');
show(llm.chat('${ENDLESS_PROMPT}', { maxTokens: ${maxTokens}, temperature: 0 }));`;
}
