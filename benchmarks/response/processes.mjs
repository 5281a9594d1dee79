// The processes of the bench: services that say how they are reached, clients that start on a word.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A service; `from` names the output on which it says how it is reached. Ends with `end()`. */
export async function startService(argv, { env, from = 'stdout' }) {
  const child = spawn(argv[0], argv.slice(1), { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let said = '';
  child.stderr.on('data', (text) => {
    said = `${said}${text}`.slice(-4000);
  });
  child.stdout.on('data', () => {});
  const reached = await new Promise((resolve, reject) => {
    child.once('error', reject);
    void exited.then((code) => reject(new Error(`${argv.join(' ')} ended with ${code}: ${said}`)));
    createInterface({ input: child[from] }).on('line', (line) => {
      if (line.startsWith('{')) resolve(JSON.parse(line));
    });
  });
  return {
    reached,
    async end() {
      child.stdin.end();
      await exited;
    },
  };
}

/** Runs clients at the same moment; gives what each says at its end. */
export async function runClients(argvs, { env }) {
  const clients = argvs.map((argv) => {
    const child = spawn(argv[0], argv.slice(1), { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let ready = () => {};
    const isReady = new Promise((resolve) => {
      ready = resolve;
    });
    const result = new Promise((resolve, reject) => {
      let last;
      createInterface({ input: child.stdout })
        .on('line', (line) => {
          if (line === 'ready') ready();
          else last = line;
        })
        .on('close', () => {
          if (last === undefined) reject(new Error(`${argv.slice(0, 2).join(' ')} gave no result`));
          else resolve(JSON.parse(last));
        });
      child.once('error', reject);
    });
    return { child, isReady, result };
  });
  await Promise.race([
    Promise.all(clients.map(({ isReady }) => isReady)),
    Promise.all(clients.map((one) => one.result)),
  ]);
  const start = performance.now();
  for (const { child } of clients) child.stdin.write('go\n');
  const results = await Promise.all(clients.map(({ result }) => result));
  return { results, seconds: (performance.now() - start) / 1000 };
}
