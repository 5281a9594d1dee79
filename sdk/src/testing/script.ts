import type { EngineReport, Message, ServiceRequest, TemplateReport } from '../schemas/index.js';

/** What the in-memory bridge says when it is asked. */
export interface Script {
  readonly engines: readonly EngineReport[];
  readonly templates: readonly TemplateReport[];
  /** The pieces of an answer to a chat or a prompt, in order; throw to let it fail. */
  readonly answer: (messages: readonly Message[]) => Iterable<string> | AsyncIterable<string>;
  /**
   * The value that any other request is answered with; default: what came in. A generator's pieces come as chunks, what it
   * returns is the value. Throw to let it fail.
   */
  readonly reply: (request: ServiceRequest) => unknown;
  /** How a command ends, with its output. */
  readonly task: (command: readonly string[]) => { readonly exitCode: number; readonly stdout: string };
  /**
   * What functions do, by `module:function` (Python) or by the name of the export (TypeScript); throw to let a call fail.
   * A call of a function that is not here fails.
   */
  readonly functions: Readonly<Record<string, (...args: never[]) => unknown>>;
  /** Files that tasks have left, by path. */
  readonly files: Readonly<Record<string, string>>;
}
