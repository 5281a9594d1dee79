import { watch } from 'node:fs';
import { join } from 'node:path';
import {
  type AgentFrame,
  BEAT_SECONDS,
  type Beat,
  type BridgeFrame,
  bridgeFrameSchema,
  LINK_PROTOCOL,
} from '@pilothouse/sdk/shared';
import type { Dealer } from 'zeromq';
import type { Written } from '../journal/reader.js';
import { log } from '../log.js';
import { readConnectFile } from './connect-file.js';

/** What the link needs of the agent. */
export interface LinkListener {
  readonly pilot: string;
  readonly epoch: number;
  /** Where the agent stands, for `hello`. */
  position(): { obeys: number; journalSeq: number; spoolSeq: number };
  /** Whether this bridge is obeyed; an overtaken one is not. */
  welcomed(epoch: number): Promise<boolean>;
  /** Written journal records after a number. */
  since(seq: number, limit: number): Promise<Written>;
  beat(): Beat;
  /** Everything that is not the link's own business. */
  frame(frame: Exclude<BridgeFrame, { type: 'welcome' | 'beat' }>): void;
}

const EVENTS_PER_FRAME = 500;
const MISSED_BEATS = 3;
const SEND_TIMEOUT_MS = 1000;

/**
 * The connection to the bridge. It only makes things fast: whatever it carries stands in a file too, so it may break
 * and come back at any time, with another bridge at its other end.
 */
export class Link {
  readonly #folder: string;
  readonly #listener: LinkListener;
  #socket: Dealer | undefined;
  #address: string | undefined;
  #tried = 0;
  #heardAt = 0;
  #welcome = false;
  /** Last journal record sent in this conversation. */
  #sent = 0;
  /** Last one that the bridge has acknowledged, and when it did so, or when the first after it was sent. */
  #acked = 0;
  #ackedAt = 0;
  #sending: Promise<unknown> = Promise.resolve();
  #pumping = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(folder: string, listener: LinkListener) {
    this.#folder = folder;
    this.#listener = listener;
  }

  /** Whether a bridge answers. */
  get connected(): boolean {
    return this.#welcome;
  }

  /** Starts connecting, and goes on for ever; resolves after the first attempt. */
  async start(): Promise<void> {
    // A new bridge says so in the file; watching it finds the bridge seconds before the missed beats do.
    const watcher = watch(this.#folder, (_event, name) => {
      if (name === 'connect.json' && !this.#closed) void this.#connect();
    });
    watcher.on('error', (error) => log('connect.json is not watched; missed beats show a new bridge', error));
    watcher.unref();
    this.#timer = setInterval(() => void this.#tick(), BEAT_SECONDS * 1000);
    await this.#connect();
  }

  /** Sends what has been written to the journal since the last time. */
  pump(): void {
    if (!this.#welcome || this.#pumping) return;
    this.#pumping = true;
    void this.#sendEvents().finally(() => {
      this.#pumping = false;
    });
  }

  reply(frame: Extract<AgentFrame, { type: 'reply' }>): void {
    void this.#send(frame);
  }

  /** Sends a beat now. */
  beat(): void {
    void this.#send({ type: 'beat', beat: this.#listener.beat() });
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#socket?.close();
  }

  async #tick(): Promise<void> {
    const now = performance.now();
    const patience = MISSED_BEATS * BEAT_SECONDS * 1000;
    // Beats without acknowledgements: frames were lost, and the bridge does not know.
    const forgotten = this.#sent > this.#acked && now - this.#ackedAt > patience;
    if (this.#welcome && !forgotten && now - this.#heardAt < patience) {
      this.beat();
      return;
    }
    if (this.#welcome) log('the bridge does not answer; work goes on without it');
    await this.#connect();
  }

  /** Says hello, over a new socket where the bridge's address has changed or did not answer. */
  async #connect(): Promise<void> {
    const file = await readConnectFile(join(this.#folder, 'connect.json'));
    if (file === undefined || this.#closed) return;
    const address = file.addresses[this.#tried % file.addresses.length];
    this.#tried += 1;
    this.#welcome = false;
    if (address !== undefined && (address !== this.#address || this.#tried % MISSED_BEATS === 0))
      await this.#open(address);
    const { obeys, journalSeq, spoolSeq } = this.#listener.position();
    const { pilot, epoch } = this.#listener;
    await this.#send({ type: 'hello', protocol: LINK_PROTOCOL, pilot, epoch, obeys, journalSeq, spoolSeq });
  }

  async #open(address: string): Promise<void> {
    // Loaded only here: work from the spool can begin before it.
    const { Dealer: DealerSocket } = await import('zeromq');
    if (this.#closed) return;
    this.#socket?.close();
    const socket = new DealerSocket({
      routingId: this.#listener.pilot,
      linger: 0,
      // Frames for a bridge that is not there would pile up and reach its successor out of turn.
      immediate: true,
      sendTimeout: SEND_TIMEOUT_MS,
      reconnectInterval: 50,
      reconnectMaxInterval: 1000,
    });
    this.#socket = socket;
    this.#address = address;
    socket.connect(address);
    void this.#receive(socket);
  }

  async #receive(socket: Dealer): Promise<void> {
    try {
      for await (const [data] of socket) {
        if (socket !== this.#socket || data === undefined) return;
        const frame = bridgeFrameSchema.safeParse(JSON.parse(data.toString()));
        if (frame.success) await this.#handle(frame.data);
        else log('a frame of the bridge is not understood', frame.error);
      }
    } catch (error) {
      log('the link broke; connecting again', error);
      if (socket === this.#socket) this.#address = undefined;
    }
  }

  async #handle(frame: BridgeFrame): Promise<void> {
    this.#heardAt = performance.now();
    switch (frame.type) {
      case 'welcome':
        if (frame.protocol !== LINK_PROTOCOL) {
          log(`the bridge speaks version ${frame.protocol} of the link, this agent ${LINK_PROTOCOL}; not connected`);
        } else if (await this.#listener.welcomed(frame.epoch)) {
          this.#sent = frame.haveSeq;
          this.#acked = frame.haveSeq;
          this.#welcome = true;
          this.#tried = 0;
          this.beat();
          this.pump();
        }
        break;
      case 'beat':
        break;
      case 'ack':
        this.#acked = frame.seq;
        this.#ackedAt = this.#heardAt;
        this.#listener.frame(frame);
        break;
      default:
        // Records carry their epoch and pieces of output are the same for everybody: no welcome is needed for them.
        this.#listener.frame(frame);
    }
  }

  async #sendEvents(): Promise<void> {
    for (;;) {
      const from = this.#sent;
      const { lines, last } = await this.#listener.since(from, EVENTS_PER_FRAME);
      if (lines.length === 0 || !this.#welcome) return;
      if (!(await this.#sendText(`{"type":"events","records":[${lines.join(',')}]}`))) return;
      // A new welcome may have set it back in the meantime.
      if (this.#sent === from) {
        if (this.#sent === this.#acked) this.#ackedAt = performance.now();
        this.#sent = last;
      }
    }
  }

  /** Sends one frame after the others; false when nobody took it. */
  #send(frame: AgentFrame): Promise<boolean> {
    return this.#sendText(JSON.stringify(frame));
  }

  #sendText(text: string): Promise<boolean> {
    const sending = this.#sending.then(async () => {
      try {
        await this.#socket?.send(text);
        return this.#socket !== undefined;
      } catch {
        // Nobody there, or it does not read: the missed beats lead to a new conversation, which starts where the
        // bridge says it stands.
        return false;
      }
    });
    this.#sending = sending;
    return sending;
  }
}
