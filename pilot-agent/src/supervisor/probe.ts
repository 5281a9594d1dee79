import { request } from 'node:http';
import type { ProbeResult } from '@pilothouse/sdk/shared';
import { SERVICE_HOST } from './ports.js';

/** GET on a path of a local port; 2xx passes. Never rejects: what goes wrong is the result. */
export function probeHttp(port: number, path: string, timeoutSeconds: number): Promise<ProbeResult> {
  const at = new Date().toISOString();
  const started = performance.now();
  return new Promise((resolve) => {
    const finish = (ok: boolean, text: string): void => {
      resolve({ ok, at, latency: Math.round((performance.now() - started) * 1000) / 1000, text });
      call.destroy();
    };
    const call = request({ host: SERVICE_HOST, port, path, method: 'GET', agent: false }, (response) => {
      const status = response.statusCode ?? 0;
      response.resume();
      finish(status >= 200 && status < 300, `${status} ${response.statusMessage ?? ''}`.trim());
    });
    call.setTimeout(timeoutSeconds * 1000, () => finish(false, `no answer within ${timeoutSeconds} s`));
    call.on('error', (error: NodeJS.ErrnoException) => {
      finish(false, error.code === 'ECONNREFUSED' ? `nothing listens on port ${port} yet` : error.message);
    });
    call.end();
  });
}
