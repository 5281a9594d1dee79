import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Pilot, Service, Session } from '../src/client/types.js';
import { connect } from '../src/node/index.js';
import { defineService } from '../src/service-definition/define-service.js';
import { Product, REPO } from './support/product.js';

const PYTHON = [join(REPO, '.pilothouse/venv/bin/python'), 'python3'].find((path) => existsSync(path)) ?? 'python3';
const INPUT = { dose: [1, 2, 4, 8], response: [0.2, 0.4, 0.6, 0.8] };
const FIT = { ec50: expect.closeTo(2.828, 3), hill: expect.closeTo(1.317, 3) };
/** What a task of the pilot does, that has named the service. */
const TASK = `
import json
from pilothouse.direct import DirectClient
with DirectClient.from_environment("dose-response") as client:
    print(json.dumps(client.call("fit", ${JSON.stringify(INPUT)})))`;

const typed = defineService({
  name: 'dose-response',
  methods: {
    fit: {
      input: z.object({ dose: z.array(z.number()), response: z.array(z.number()) }),
      output: z.object({ ec50: z.number(), hill: z.number() }),
    },
  },
});

let product: Product;
let session: Session;
let pilot: Pilot;
let service: Service;

beforeAll(async () => {
  product = new Product();
  session = await connect();
  pilot = await session.pilots.ensure('demo', { cores: 1, runtime: '10m' });
  service = await session.services.ensure('dose-response', {
    command: [PYTHON, join(REPO, 'examples/dose_response.py')],
    api: 'zeromq',
    resources: { cores: 0 },
    instances: 2,
    pilot,
  });
  await service.ready({ timeout: '90s' });
});

afterAll(async () => {
  await session?.close();
  await product.remove();
});

describe('a service of one’s own, started by Pilothouse', () => {
  it('is called straight and through the bridge', async () => {
    expect(await service.call('fit', INPUT).result()).toEqual(FIT);
    expect(await service.call('fit', INPUT, { direct: false }).result()).toEqual(FIT);
    expect(await session.services.get(typed).call('fit', INPUT).result()).toEqual(FIT);
  });

  it('says what does not fit, on both ways', async () => {
    for (const direct of [true, false]) {
      await expect(service.call('fit', { dose: ['x'], response: [] }, { direct }).result()).rejects.toMatchObject({
        code: 'INVALID_DESCRIPTION',
        field: 'input.dose.0',
      });
    }
  });

  it('is called by a task that names it', async () => {
    const task = await session.tasks.submit({ command: [PYTHON, '-c', TASK], cores: 0, services: [service], pilot });
    const { stdout } = await task.result({ timeout: '90s' });
    expect(JSON.parse(stdout)).toEqual(FIT);
  });
});
