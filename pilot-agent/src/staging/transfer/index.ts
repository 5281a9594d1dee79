import { PilothouseError } from '@pilothouse/sdk/shared';
import { HttpTransfer } from './http.js';
import { SshTransfer } from './ssh.js';
import type { Transfer } from './transfer.js';

const transfers: readonly Transfer[] = [new HttpTransfer(), new SshTransfer()];

/** The way to move what a URL names. @throws PilothouseError INVALID_DESCRIPTION */
export function transferFor(url: URL, field: string): Transfer {
  const found = transfers.find(({ protocols }) => protocols.includes(url.protocol));
  if (found) return found;
  throw new PilothouseError('INVALID_DESCRIPTION', `${field}: nothing here can transfer ${url.protocol}//`, {
    hint: 'Use https://, ssh:// or file://, or let the task fetch it by itself.',
    field,
  });
}
