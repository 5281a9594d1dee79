// An OpenAI-compatible server that answers each prompt with itself, at once.
// Use: node echo-server.mjs PORT KEYFILE
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port, keyFile] = process.argv.slice(2);
const authorization = `Bearer ${readFileSync(keyFile, 'utf8').trim()}`;

const json = (response, status, body) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

async function chat(request, response) {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part;
  const { messages, model, stream } = JSON.parse(body);
  if (!messages?.length) return json(response, 400, { error: { message: 'there are no messages' } });
  const content = `echo ${messages[0].content}`;
  const usage = { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 };
  if (!stream) {
    const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
    return json(response, 200, { object: 'chat.completion', model, choices, usage });
  }
  const event = (fields) => `data: ${JSON.stringify({ object: 'chat.completion.chunk', model, ...fields })}\n\n`;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(
    event({ choices: [{ index: 0, delta: { content }, finish_reason: 'stop' }] }) +
      event({ choices: [], usage }) +
      'data: [DONE]\n\n',
  );
}

createServer((request, response) => {
  if (request.url === '/health') return json(response, 200, { status: 'ok' });
  if (request.headers.authorization !== authorization) return json(response, 401, { error: { message: 'wrong key' } });
  if (request.url === '/v1/models') return json(response, 200, { object: 'list', data: [{ id: 'echo' }] });
  if (request.url === '/v1/chat/completions') return void chat(request, response);
  json(response, 404, { error: { message: 'unknown path' } });
}).listen(Number(port), '127.0.0.1');
