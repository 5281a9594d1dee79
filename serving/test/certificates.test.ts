import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { attachDescriptionSchema, type ServiceRequestInput } from '@pilothouse/sdk/shared';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createAdapters, detect, neverArrived } from '../src/index.js';
import { ask } from './support/ask.js';
import { serve, type TestServer } from './support/http-server.js';
import { targetAt } from './support/targets.js';

const pem = (name: string): string => readFileSync(new URL(`./fixtures/tls/${name}`, import.meta.url), 'utf8');
const known = getCACertificates('default');
const adapters = createAdapters();
let server: TestServer | undefined;

afterEach(async () => {
  setDefaultCACertificates(known);
  await server?.close();
});
afterAll(() => adapters.close());

async function serveWith(certificate: string): Promise<TestServer> {
  server = await serve(
    (_, response) => response.setHeader('content-type', 'application/json').end('{"data":[{"id":"m"}]}'),
    { key: pem('server.key'), cert: pem(`${certificate}.pem`) },
  );
  return server;
}

const chat: ServiceRequestInput = { op: 'chat', messages: [{ role: 'user', content: 'hi' }] };
const models = (url: string) => adapters.byApi.openai.models(targetAt(url), AbortSignal.timeout(30_000));

describe('certificates', () => {
  it('one that the machine trusts is taken', async () => {
    setDefaultCACertificates([...known, pem('ca.pem')]);
    expect(await models((await serveWith('good')).url)).toEqual(['m']);
  });

  it.each([
    ['self-signed', true, 'it signed its certificate itself', 'NODE_EXTRA_CA_CERTS'],
    ['good', false, 'an authority unknown to this machine', 'NODE_EXTRA_CA_CERTS'],
    ['expired', true, 'its certificate has expired', 'renewed'],
    ['wrong-host', true, 'its certificate is for another host', 'host name'],
  ])('%s: refused with its cause and remedy', async (certificate, trusted, cause, remedy) => {
    if (trusted) setDefaultCACertificates([...known, pem('ca.pem')]);
    const { url, port } = await serveWith(certificate);
    const target = targetAt(url, { name: 'remote', model: 'm' });
    const error: unknown = await ask(adapters.byApi.openai, target, chat).catch((refused: unknown) => refused);
    expect(error).toMatchObject({
      code: 'CERTIFICATE_REFUSED',
      message: expect.stringContaining(`remote at 127.0.0.1:${port}: it`),
      hint: expect.stringContaining(remedy),
      retryable: false,
    });
    expect(String(error)).toContain(cause);
    expect(neverArrived(error)).toBe(true);
    const description = attachDescriptionSchema.parse({ url });
    expect(await detect(adapters, description, null, AbortSignal.timeout(30_000))).toMatchObject({
      api: null,
      asksForKey: null,
      evidence: [expect.stringContaining(cause)],
      remedy: expect.stringContaining(remedy),
    });
  });

  it('http and https taken for each other are told', async () => {
    const plain = await serve((_, response) => response.end('{}'));
    await expect(models(plain.url.replace('http:', 'https:'))).rejects.toMatchObject({
      code: 'SERVICE_UNREACHABLE',
      message: expect.stringContaining('does not speak TLS'),
      hint: expect.stringContaining('http://'),
    });
    await plain.close();
  });
});
