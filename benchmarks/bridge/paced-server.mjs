// An OpenAI-compatible server that sends made-up tokens at an even pace: a load generator without a model.
// Use: node paced-server.mjs PORT KEYFILE TOKENS_PER_SECOND
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port, keyFile, rate] = process.argv.slice(2);
const key = readFileSync(keyFile, 'utf8').trim();

const json = (response, status, body) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

async function chat(request, response) {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part;
  const { max_tokens: count, model } = JSON.parse(body);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.socket.setNoDelay(true);
  const send = (event) =>
    response.write(`data: ${JSON.stringify({ object: 'chat.completion.chunk', model, ...event })}\n\n`);
  const start = performance.now();
  for (let token = 0; token < count && !response.destroyed; token += 1) {
    const due = start + (token * 1000) / Number(rate);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    send({ choices: [{ index: 0, delta: { content: `token${token} ` }, finish_reason: null }] });
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  send({ choices: [], usage: { prompt_tokens: 1, completion_tokens: count, total_tokens: count + 1 } });
  response.end('data: [DONE]\n\n');
}

createServer((request, response) => {
  if (request.url === '/health') return json(response, 200, { status: 'ok' });
  if (request.headers.authorization !== `Bearer ${key}`)
    return json(response, 401, { error: { message: 'wrong key' } });
  if (request.url === '/v1/models')
    return json(response, 200, { object: 'list', data: [{ id: 'paced', object: 'model' }] });
  if (request.url === '/v1/chat/completions') return void chat(request, response);
  json(response, 404, { error: { message: 'unknown path' } });
}).listen(Number(port), '127.0.0.1');
