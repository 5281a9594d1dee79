// ZeroMQ alone: a REP socket with CURVE that sends back what it gets.
import { curveKeyPair, Reply } from 'zeromq';

const { publicKey, secretKey } = curveKeyPair();
const socket = new Reply({ curveServer: true, curvePublicKey: publicKey, curveSecretKey: secretKey });
await socket.bind('tcp://127.0.0.1:*');
console.log(JSON.stringify({ address: socket.lastEndpoint, serverKey: publicKey }));
process.stdin.resume().on('end', () => process.exit());
for await (const message of socket) await socket.send(message);
