// HAProxy in front of instances, by the fewest connections; Debian's package `haproxy`.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../lib/jupyter.mjs';
import { eventually } from '../lib/stack.mjs';

/** Starts it; `no-delay` so that it holds nothing back. */
export async function startHaproxy(folder, ports) {
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  const servers = ports.map((one, at) => `  server s${at} 127.0.0.1:${one}`);
  const lines = [
    'defaults',
    '  mode http',
    '  option http-no-delay',
    '  timeout connect 10s',
    '  timeout client 10m',
    '  timeout server 10m',
    'frontend all',
    `  bind 127.0.0.1:${port}`,
    '  default_backend instances',
    'backend instances',
    '  balance leastconn',
    ...servers,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const failed = new Promise((_, reject) => {
    child.once('error', (cause) =>
      reject(new Error('haproxy cannot be started; install it: apt install haproxy', { cause })),
    );
  });
  const answers = eventually('the start of haproxy', () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    ),
  );
  await Promise.race([answers, failed]);
  return {
    port,
    end: () =>
      new Promise((resolve) => {
        child.once('exit', resolve);
        child.kill('SIGTERM');
      }),
  };
}
