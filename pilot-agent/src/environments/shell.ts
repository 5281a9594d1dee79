/** Quotes a word for a POSIX shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Exit code of a setup line that failed; its own code stands in the error output. */
export const SETUP_FAILED = 126;

/**
 * A command that runs lines in a shell and then becomes the program. The program and its arguments are given to the
 * shell as they are: nothing in them is ever read as shell.
 *
 * @param shell - file of a POSIX shell
 */
export function afterSetup(shell: string, setup: readonly string[], argv: readonly string[]): string[] {
  const lines = setup.map((line, index) => {
    const name = quote(`setup line ${index + 1} failed (${line.length > 80 ? `${line.slice(0, 80)}…` : line})`);
    return `{\n${line}\n} || { echo ${name} >&2; exit ${SETUP_FAILED}; }`;
  });
  return [shell, '-c', `${lines.join('\n')}\nexec "$@"`, 'setup', ...argv];
}
