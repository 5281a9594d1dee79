import { type Check, type Hello, PilothouseError, PROTOCOL, type Target } from '@pilothouse/sdk/internal';
import type { Picture } from '../../picture/picture.js';
import { type WatchOptions, WatchSource } from '../../picture/watch-source.js';
import type { CleanReport } from '../../retention/retention.js';
import { streamBatches } from '../../streams/stream.js';
import { os } from '../implementer.js';

/** What the calls about Pilothouse itself need. */
export interface SystemCalls {
  readonly picture: Picture;
  readonly epoch: number;
  hello(): Hello;
  doctor(): Promise<Check[]>;
  /** Ends the bridge once the call has been answered. */
  stop(): void;
  forget(target: Target): Promise<void>;
  clean(dryRun: boolean): Promise<CleanReport>;
}

export function systemRouter(system: SystemCalls) {
  return {
    hello: os.system.hello.handler(({ input }) => {
      if (input.protocol !== PROTOCOL) throw versionMismatch(input, system.hello());
      return system.hello();
    }),
    doctor: os.system.doctor.handler(async () => ({ checks: await system.doctor() })),
    stop: os.system.stop.handler(() => {
      system.stop();
      return {};
    }),
    watch: os.system.watch.handler(({ input, context, signal }) => {
      const options: WatchOptions = input;
      const open = (): WatchSource => new WatchSource(system.picture, system.epoch, options);
      return streamBatches(open, input, context.connection.credits, signal ?? new AbortController().signal);
    }),
    grant: os.system.grant.handler(({ input, context }) => {
      context.connection.credits?.grant(input.sub, input.credits);
      return {};
    }),
    clean: os.system.clean.handler(async ({ input }) => {
      const { removed, kept } = await system.clean(input.dryRun);
      return { removed: [...removed], kept };
    }),
    forget: os.system.forget.handler(async ({ input }) => {
      await system.forget(input);
      return {};
    }),
  };
}

function versionMismatch(
  client: { protocol: number; version: string; client: string },
  bridge: Hello,
): PilothouseError {
  const newer = client.protocol > bridge.protocol;
  return new PilothouseError(
    'VERSION_MISMATCH',
    `${client.client} ${client.version} speaks protocol ${client.protocol}, Pilothouse ${bridge.version} speaks ${bridge.protocol}`,
    {
      hint: newer
        ? 'Run "pilothouse bridge stop" and connect again, so that the installed version starts.'
        : `Update ${client.client} to ${bridge.version}, then restart the kernel.`,
    },
  );
}
