import type { IncomingMessage } from 'node:http';
import { PilothouseError } from '@pilothouse/sdk/shared';
import { createParser, type EventSourceParser, type ParseError } from 'eventsource-parser';

/** Characters of one event or line; a server that sends more without an end does not speak the format. */
const MAX_PIECE = 16 * 1024 * 1024;
/** Milliseconds that a server may take to send usage or `[DONE]` after it said that the answer has ended. */
const AFTERMATH = 2_000;

/** Reads one streamed answer as its bytes come. */
export interface StreamReader<T> {
  /** Takes the next bytes; throws what the server reports as its failure. */
  feed(bytes: Uint8Array): void;
  /** The server has said that the answer is whole; something beside it may still follow. */
  readonly finished: boolean;
  /** Nothing more will come, whether or not the connection stays open. */
  readonly done: boolean;
  /**
   * The stream has ended: gives what is known of the whole answer, or throws STREAM_CUT.
   *
   * @param cause - what tore the connection down; undefined: the server closed it in good order
   */
  end(cause?: unknown): T;
}

/** Feeds a stream to its reader as the bytes arrive; nothing is held back for a later turn. */
export function consume<T>(response: IncomingMessage, reader: StreamReader<T>, signal: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let aftermath: NodeJS.Timeout | undefined;
  const settle = (give: () => void) => {
    clearTimeout(aftermath);
    try {
      give();
    } catch (error) {
      reject(error);
    }
  };
  response.on('data', (bytes: Buffer) => {
    try {
      reader.feed(bytes);
    } catch (error) {
      clearTimeout(aftermath);
      reject(error);
      response.destroy();
      return;
    }
    if (reader.done) settle(() => resolve(reader.end()));
    else if (reader.finished && aftermath === undefined) {
      aftermath = setTimeout(() => {
        settle(() => resolve(reader.end()));
        response.destroy();
      }, AFTERMATH);
    }
  });
  response.once('end', () => settle(() => resolve(reader.end())));
  response.once('close', () => {
    settle(() => resolve(reader.end(response.complete ? undefined : new Error('the connection was closed'))));
  });
  // Stays on: a stream that is torn down after its answer was complete must not end the process.
  response.on('error', (error) => {
    settle(() => (signal.aborted ? reject(signal.reason) : resolve(reader.end(error))));
  });
  return promise;
}

/** Cuts bytes into the events of a `text/event-stream`, whatever the cuts between the reads. */
export class EventCutter {
  readonly #decoder = new TextDecoder();
  readonly #parser: EventSourceParser;
  readonly #name: string;
  #overflow: ParseError | null = null;

  /**
   * @param name - the server, for error sentences
   * @param onData - called with the data of each event
   * @param onField - called with a field that the format does not know; some servers report errors so
   */
  constructor(name: string, onData: (data: string) => void, onField?: (field: string, value: string) => void) {
    this.#name = name;
    this.#parser = createParser({
      maxBufferSize: MAX_PIECE,
      onEvent: (event) => onData(event.data),
      onError: (error) => {
        if (error.type === 'unknown-field') onField?.(error.field ?? '', error.value ?? '');
        if (error.type === 'max-buffer-size-exceeded') this.#overflow = error;
      },
    });
  }

  feed(bytes: Uint8Array): void {
    this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
    if (this.#overflow !== null) throw endless(this.#name, this.#overflow);
  }

  /** The stream has ended: an event whose empty line is missing still counts. */
  flush(): void {
    if (this.#overflow === null) this.#parser.feed(`${this.#decoder.decode()}\n\n`);
  }
}

/** Cuts bytes into lines (NDJSON), whatever the cuts between the reads. Empty lines are left out. */
export class LineCutter {
  readonly #decoder = new TextDecoder();
  readonly #name: string;
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(name: string, onLine: (line: string) => void) {
    this.#name = name;
    this.#onLine = onLine;
  }

  feed(bytes: Uint8Array): void {
    this.#take(this.#decoder.decode(bytes, { stream: true }));
    if (this.#rest.length > MAX_PIECE) throw endless(this.#name);
  }

  flush(): void {
    this.#take(`${this.#decoder.decode()}\n`);
  }

  #take(text: string): void {
    if (!text.includes('\n')) {
      this.#rest += text;
      return;
    }
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.#onLine(line);
  }
}

function endless(name: string, cause?: unknown): PilothouseError {
  return new PilothouseError('BACKEND_FAILED', `${name} sent a piece without end`, {
    hint: 'Check that the server speaks the API that it was taken for.',
    cause,
  });
}
