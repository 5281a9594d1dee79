// A reverse proxy with nothing but Node: bare-proxy.mjs SOCKET PORT. Pours both ways, connections stay open.
import { Agent, createServer, request as forward } from 'node:http';

const [socket, port] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
const server = createServer((request, response) => {
  const { method, url: path, headers } = request;
  const onward = forward({ host: '127.0.0.1', port, method, path, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  request.pipe(onward);
});
server.listen(socket, () => console.log(JSON.stringify({ socket })));
process.stdin.resume().on('end', () => process.exit());
