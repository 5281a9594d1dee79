// An instance that does one thing at a time: instance.mjs PORT NUMBER. 20 ms each; numbers 1 and 2 are five times slower.
import { createServer } from 'node:http';

const [port, number] = process.argv.slice(2).map(Number);
const MILLISECONDS = number <= 2 ? 100 : 20;
const ANSWER = JSON.stringify({ choices: [{ message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }] });
let line = Promise.resolve();

createServer((request, response) => {
  if (request.method === 'GET') {
    response.end('{"object":"list","data":[{"id":"noop","object":"model"}]}');
    return;
  }
  request.resume().on('end', () => {
    line = line.then(
      () =>
        new Promise((resolve) => {
          setTimeout(() => {
            response.setHeader('content-type', 'application/json');
            response.end(ANSWER);
            resolve();
          }, MILLISECONDS);
        }),
    );
  });
}).listen(port, '127.0.0.1', () => console.log(JSON.stringify({ port })));
process.stdin.resume();
