// Runs in the browser. Notes the arrival of each frame that carries chunks, and sends a frame of the same size to the
// echo server at that moment, so that both ways meet the same load.
import { connectBrowser } from '@pilothouse/sdk/browser';

const now = () => performance.timeOrigin + performance.now();
const READ_AT = /"readAt":(\d+(?:\.\d+)?)/;

globalThis.measure = async (sdkUrl, echoUrl, id) => {
  const delays = [];
  const echoes = [];
  const sent = [];
  const echo = new WebSocket(echoUrl);
  await new Promise((resolve, reject) => {
    echo.onopen = resolve;
    echo.onerror = () => reject(new Error('the echo socket did not open'));
  });
  echo.onmessage = () => echoes.push(now() - sent.shift());
  class TimedWebSocket extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', ({ data }) => {
        const arrived = now();
        const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
        const readAt = READ_AT.exec(text)?.[1];
        if (readAt === undefined) return;
        delays.push(arrived - Number(readAt));
        sent.push(now());
        echo.send(data);
      });
    }
  }
  const session = await connectBrowser({ url: () => sdkUrl, WebSocket: TimedWebSocket, name: 'bench' });
  const answer = await session.answers.get(id);
  // What had been read before the page followed arrives in one batch and says nothing about delay.
  delays.length = 0;
  await answer.result();
  await session.close();
  echo.close();
  return { delays: delays.slice(1), echoes: echoes.slice(1) };
};
