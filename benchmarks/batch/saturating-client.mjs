// A client that keeps a server full and does nothing else: so many requests under way, over connections that stay open.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

/** @returns rows per second */
export async function saturate({ url, keyFile }, { concurrency, prompts, maxTokens, temperature, seed, extra }) {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const key = readFileSync(keyFile, 'utf8').trim();
  const waiting = prompts.values();
  const start = performance.now();
  const one = async () => {
    for (const prompt of waiting) {
      const messages = [{ role: 'user', content: prompt }];
      const body = JSON.stringify({ messages, max_tokens: maxTokens, temperature, seed, ...extra });
      const answer = await post(agent, `${url}/v1/chat/completions`, key, body);
      if (answer.usage.completion_tokens !== maxTokens)
        throw new Error(`${answer.usage.completion_tokens} tokens came`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  const seconds = (performance.now() - start) / 1000;
  agent.destroy();
  return prompts.length / seconds;
}

function post(agent, url, key, body) {
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.once('error', reject).once('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${response.statusCode}: ${text.slice(0, 300)}`));
      });
    });
    asked.once('error', reject);
    asked.end(body);
  });
}
