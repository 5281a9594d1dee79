import type { EngineReport, Message, TemplateReport } from '../schemas/index.js';

/** What the in-memory bridge says when it is asked. */
export interface Script {
  readonly engines: readonly EngineReport[];
  readonly templates: readonly TemplateReport[];
  /** The pieces of an answer, in order; throw to let it fail. */
  readonly answer: (messages: readonly Message[]) => Iterable<string> | AsyncIterable<string>;
  /** How a task ends, with its output. */
  readonly task: (command: readonly string[]) => { readonly exitCode: number; readonly stdout: string };
}
