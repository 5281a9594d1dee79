// OpenAI's own client against the gateway: by URL with the key in OPENAI_API_KEY, and by the path of the socket.
// node openai_client.mjs URL SOCKET
import OpenAI from 'openai';
import { Agent, fetch } from 'undici';

const [baseURL, socketPath] = process.argv.slice(2);

async function ask(client) {
  const models = [];
  for await (const { id } of client.models.list()) models.push(id);
  const request = {
    model: 'smollm2',
    messages: [{ role: 'user', content: 'Say hello.' }],
    max_tokens: 8,
    temperature: 0,
  };
  const answer = await client.chat.completions.create(request);
  let streamed = '';
  let pieces = 0;
  for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
    streamed += choices[0]?.delta.content ?? '';
    pieces += 1;
  }
  const missing = await client.chat.completions
    .create({ ...request, model: 'other' })
    .catch(({ status, code }) => [status, code]);
  return { models, said: answer.choices[0].message.content, streamed, pieces, missing };
}

const dispatcher = new Agent({ connect: { socketPath } });
const ways = [
  new OpenAI({ baseURL, maxRetries: 0 }),
  new OpenAI({
    baseURL: 'http://pilothouse/v1',
    apiKey: 'none',
    maxRetries: 0,
    fetch: (url, init) => fetch(url, { ...init, dispatcher }),
  }),
];
const results = [];
for (const client of ways) results.push(await ask(client));
console.log(JSON.stringify(results));
await dispatcher.close();
