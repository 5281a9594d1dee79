import { PilothouseError } from '@pilothouse/sdk/internal';
import { z } from 'zod';
import { type DemoSearch, findDemo } from './demo-environment.js';
import { atLeast, type Machine, thisMachine } from './machine.js';
import type { LaunchPlan, Template } from './template.js';

const GLIBC = '2.35';
/** What the portable CPU code of ggml is built with. */
const CPU_FLAGS = ['avx2', 'fma', 'f16c', 'bmi2'] as const;
/** Tokens of context below which hardly a question fits. */
const LEAST_CONTEXT = 128;

const paramsSchema = z
  .strictObject({
    ctx: z.int().min(256).max(8192).default(2048).meta({
      title: 'Context',
      description: 'Tokens of prompt and answer, shared by the requests answered at a time',
    }),
    parallel: z.int().min(1).max(16).default(2).meta({
      title: 'Parallel requests',
      description: 'Requests answered at a time; each gets its share of the context',
    }),
  })
  .refine(({ ctx, parallel }) => ctx / parallel >= LEAST_CONTEXT, {
    path: ['parallel'],
    message: `leaves fewer than ${LEAST_CONTEXT} tokens of context to each request; lower it, or raise ctx`,
  });

/**
 * SmolLM2-135M-Instruct on llama.cpp's own server: small enough for any machine, real enough to try everything with.
 */
export class SmolLm2Template implements Template {
  readonly name = 'smollm2';
  readonly title = 'SmolLM2 (demo)';
  readonly description = 'A small language model (135 million parameters) on CPU, for trying things out';
  readonly resources = { cores: 1, gpus: 0 };
  readonly params = paramsSchema;
  readonly #search: DemoSearch;
  readonly #machine: () => Promise<Machine>;

  constructor(search: DemoSearch, machine: () => Promise<Machine> = thisMachine) {
    this.#search = search;
    this.#machine = machine;
  }

  async unavailable(): Promise<string | null> {
    return machineRefuses(await this.#machine()) ?? ((await findDemo(this.#search)) === null ? NOT_INSTALLED : null);
  }

  async plan(params: unknown): Promise<LaunchPlan> {
    const { ctx, parallel } = paramsSchema.parse(params);
    const demo = await findDemo(this.#search);
    if (demo === null) throw new PilothouseError('TEMPLATE_UNAVAILABLE', NOT_INSTALLED);
    return {
      command: [
        demo.server,
        '--model',
        demo.model,
        '--alias',
        this.name,
        '--host',
        '{host}',
        '--port',
        '{port}',
        '--api-key-file',
        '{apiKeyFile}',
        // As many threads as cores granted: llama.cpp's threads spin, so one too many makes all of them slow.
        '--threads',
        '{cores}',
        '--ctx-size',
        String(ctx),
        '--parallel',
        String(parallel),
        '--slots',
        '--metrics',
        '--no-ui',
        '--offline',
        // MiB of old prompts kept in memory; its default is 8 GiB.
        '--cache-ram',
        '64',
      ],
      env: { LD_LIBRARY_PATH: demo.libraries.join(':') },
      needs: [demo.model],
      authenticated: true,
      model: this.name,
      api: 'openai',
      concurrency: parallel,
      progress: [],
    };
  }

  concurrency(params: unknown): number {
    const parsed = paramsSchema.safeParse(params);
    return parsed.success ? parsed.data.parallel : 1;
  }
}

const NOT_INSTALLED =
  'The demo model is not installed here. Run the set-up again (npm start), or name a Python environment that has it in PILOTHOUSE_DEMO_ENV.';

function machineRefuses({ arch, glibc, cpuFlags }: Machine): string | null {
  const attach = 'Attach a model server that runs elsewhere instead.';
  if (arch !== 'x64') return `Its server is built for x86_64, and this is ${arch}. ${attach}`;
  if (glibc === undefined) return `Its server needs glibc, and this system has another C library. ${attach}`;
  if (!atLeast(glibc, GLIBC))
    return `Its server needs glibc ${GLIBC} or newer, and this system has ${glibc}. ${attach}`;
  const missing = CPU_FLAGS.filter((flag) => !cpuFlags.has(flag));
  if (missing.length > 0) return `Its server needs a CPU with ${missing.join(', ')}. ${attach}`;
  return null;
}
