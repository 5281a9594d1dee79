// A model server that computes nothing: openai-noop.mjs [TOKENS MILLISECONDS]. Answers at once, or streams tokens at that
// pace, each with the moment it was sent. Says its port on stdout; ends with its stdin.
import { createServer } from 'node:http';

const [tokens = 200, pace = 5] = process.argv.slice(2).map(Number);
const ANSWER = JSON.stringify({
  id: 'noop',
  object: 'chat.completion',
  model: 'noop',
  choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1 },
});
const MODELS = JSON.stringify({ object: 'list', data: [{ id: 'noop', object: 'model' }] });

function json(response, text) {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function stream(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    const last = sent === tokens;
    const choice = { index: 0, delta: { content: 'x' }, finish_reason: last ? 'stop' : null };
    const chunk = { choices: [choice], sent: performance.timeOrigin + performance.now() };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    if (!last) return;
    clearInterval(timer);
    response.end('data: [DONE]\n\n');
  }, pace);
  response.once('close', () => clearInterval(timer));
}

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    json(response, MODELS);
    return;
  }
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    if (Buffer.concat(parts).includes('"stream":true')) stream(response);
    else json(response, ANSWER);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.resume().on('end', () => process.exit());
