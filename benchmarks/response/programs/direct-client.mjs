// One client of its own process: says that it is ready, waits for a word on its input, makes its calls one after the other,
// says how long each took. With `raw`, blocks of calls and of bare messages take turns, so that both see the same machine.
import { once } from 'node:events';
import { ServiceClient } from '@pilothouse/sdk/direct';
import { curveKeyPair, Request } from 'zeromq';

const { instances, count, warmUp, payload, raw, routing } = JSON.parse(process.argv[2]);
const BLOCK = 64;

const client = new ServiceClient({ name: 'noop', routing });
client.update(instances);
const direct = async () => {
  await client.call({ method: 'call', input: payload, stream: false });
};

let bare;
let socket;
if (raw !== undefined) {
  const { publicKey, secretKey } = curveKeyPair();
  socket = new Request({ curveServerKey: raw.serverKey, curvePublicKey: publicKey, curveSecretKey: secretKey });
  socket.connect(raw.address);
  const text = JSON.stringify(payload);
  bare = async () => {
    await socket.send(text);
    await socket.receive();
  };
}

async function timed(work, samples, many) {
  for (let number = 0; number < many; number += 1) {
    const start = performance.now();
    await work();
    samples.push(performance.now() - start);
  }
}

await timed(direct, [], warmUp);
if (bare !== undefined) await timed(bare, [], warmUp);
console.log('ready');
await once(process.stdin, 'data');
const samples = { direct: [], raw: [] };
const start = performance.now();
for (let left = count; left > 0; left -= BLOCK) {
  await timed(direct, samples.direct, Math.min(BLOCK, left));
  if (bare !== undefined) await timed(bare, samples.raw, Math.min(BLOCK, left));
}
console.log(JSON.stringify({ ...samples, seconds: (performance.now() - start) / 1000 }));
client.close();
socket?.close();
process.stdin.destroy();
