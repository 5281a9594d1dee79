/** A page of help. */
interface HelpText {
  readonly title: string;
  /** Markdown. */
  readonly text: string;
}

/** Help pages by name; the `?` of each panel opens its own. */
export const HELP: Readonly<Record<string, HelpText>> = {
  sidebar: {
    title: 'Pilothouse help',
    text: `# Pilothouse

**Pilots** hold cores, GPUs and memory for some time. **Services** are models that answer requests, on one of your pilots or
elsewhere. **Tasks** are commands that run on pilots. All three go on when you close the browser, restart a kernel or restart
JupyterLab.

| to … | do … |
|---|---|
| get resources | **New pilot**: choose cores and runtime, then **Start pilot** |
| start a model | **Start service**: choose a template and the pilot it runs on |
| use a model that runs already | **Attach service**: its URL and, where it asks for a key, a stored credential |
| ask a model | click the service, type into **Try it** |
| use it in a notebook | **Insert into notebook** on the row, or drag the row into the notebook |
| know why something is not running | **why?** beside the reason |
| end things | **Stop** a service, **End** a pilot; both say first what ends with them |

## States

A state is a shape, a colour and a word. A filled circle works or went well, a half one is busy, a dashed one waits, a cross
has failed, a square is over. *unreachable since …* means that Pilothouse has lost contact; what runs there goes on.

## Keys

In a list: arrow keys move between rows, Enter opens, Delete ends or hides, the context menu key shows all actions. In **Try it**:
Ctrl+Enter asks. Every action is in the command palette under "Pilothouse".

## When it is not connected

The sidebar says what failed and what to do. **Retry** starts Pilothouse where it does not run. **Copy diagnosis** puts what
others need to help you on the clipboard; it holds no keys. In a terminal: \`pilothouse doctor\`.
`,
  },
};
