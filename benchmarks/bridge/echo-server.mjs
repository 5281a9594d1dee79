// A WebSocket server on a unix socket that sends every frame back: what stands behind the relay when only the relay is
// measured. Use: node echo-server.mjs SOCKET
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const server = createServer((_, response) => response.writeHead(200).end());
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.listen(process.argv[2]);
