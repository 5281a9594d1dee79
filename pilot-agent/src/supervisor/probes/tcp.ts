import { connect } from 'node:net';
import type { ProbeResult } from '@pilothouse/sdk/shared';
import { SERVICE_HOST } from '../ports.js';
import { whyNot } from './http.js';
import { Look } from './result.js';

/** Whether something accepts a connection. */
export function probeTcp(port: number, timeout: number): Promise<ProbeResult> {
  const look = new Look();
  return new Promise((resolve) => {
    const socket = connect({ host: SERVICE_HOST, port });
    const finish = (ok: boolean, text: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(look.result(ok, text));
    };
    const timer = setTimeout(() => finish(false, `no connection within ${timeout / 1000} s`), timeout);
    socket.on('connect', () => finish(true, 'accepts connections'));
    socket.on('error', (error) => finish(false, whyNot(port, error)));
  });
}
