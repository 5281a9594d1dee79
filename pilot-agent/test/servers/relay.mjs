// Stands in for an agent: started by the warden, it carries what a test says to the warden's socket, and back.
import { existsSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const [, , warden, own] = process.argv;
if (existsSync(own)) rmSync(own);
createServer((test) => {
  const up = connect(warden);
  test.pipe(up).pipe(test);
  for (const [one, other] of [
    [test, up],
    [up, test],
  ]) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}).listen(own);
