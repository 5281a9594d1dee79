/** What the words in braces stand for. */
export interface Placeholders {
  readonly port: number;
  readonly host: string;
  readonly cores: number;
  /** null: no key is asked for */
  readonly apiKeyFile: string | null;
  /** Filled into the environment alone: an argument would show it to everybody on the node. */
  readonly apiKey: string | null;
}

/** Fills `{port}`, `{host}`, `{cores}` and `{apiKeyFile}` into the arguments of a command; other braces stay. */
export function fillCommand(command: readonly string[], values: Placeholders): string[] {
  return command.map((text) => fill(text, values, false));
}

/** Fills the same words, and `{apiKey}`, into the values of an environment. */
export function fillEnvironment(env: Readonly<Record<string, string>>, values: Placeholders): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, text]) => [name, fill(text, values, true)]));
}

function fill(text: string, values: Placeholders, secrets: boolean): string {
  return text.replace(/\{(port|host|cores|apiKeyFile|apiKey)\}/g, (word: string, name: keyof Placeholders) => {
    if (name === 'apiKey' && !secrets) return word;
    const value = values[name];
    return value === null ? word : String(value);
  });
}
