/** What is wrong with a command line, or the words that it is made of. */
export type Argv =
  | { readonly words: readonly string[]; readonly problem: null }
  | { readonly words: null; readonly problem: 'quote' | 'escape' | 'shell'; readonly at: string };

/** What only a shell understands; outside quotes it is most likely meant for one. */
const SHELL = /^(\||\|\||&&|&|;|<|>|>>|2>|2>&1|\d?>.*)$/;

/**
 * Splits a command line into words the way a shell does: quotes, backslashes, nothing else. No shell runs it, so pipes
 * and redirections are refused instead of being passed on as arguments.
 */
export function parseCommandLine(text: string): Argv {
  const words: string[] = [];
  let word: string | null = null;
  let quoted = false;
  let quote: '"' | "'" | null = null;
  const end = (): Argv | null => {
    if (word === null) return null;
    if (!quoted && SHELL.test(word)) return { words: null, problem: 'shell', at: word };
    words.push(word);
    word = null;
    quoted = false;
    return null;
  };
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (quote === "'") {
      if (char === "'") quote = null;
      else word = (word ?? '') + char;
    } else if (char === '\\') {
      const next = text[index + 1];
      if (next === undefined) return { words: null, problem: 'escape', at: text.slice(-10) };
      index += 1;
      if (next === '\n') continue;
      // Inside double quotes a backslash stays, unless it stands before what it can protect.
      word = (word ?? '') + (quote === '"' && !/["\\$`]/.test(next) ? `\\${next}` : next);
      quoted = true;
    } else if (quote === '"') {
      if (char === '"') quote = null;
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      quoted = true;
      word ??= '';
    } else if (/\s/.test(char)) {
      const refused = end();
      if (refused !== null) return refused;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== null) return { words: null, problem: 'quote', at: quote };
  return end() ?? { words, problem: null };
}

/** Words as one line that {@link parseCommandLine} takes apart again. */
export function commandLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./{}-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
