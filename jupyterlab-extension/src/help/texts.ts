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
| use a model that runs already | **Attach service**: its URL; Pilothouse says what it found there |
| run a command | **Run a task**: the command line, cores, GPUs, memory; the form shows it as code |
| see all tasks | **Open the table**, or click a task set |
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
  pilots: {
    title: 'Help: pilots',
    text: `# Pilots

A pilot holds cores, GPUs and memory for its **runtime** and then ends by itself, with everything on it. The page shows its
state and why it is not further, what is in use, the services and tasks on it, and when each state was entered.

- **QUEUED**: what it asks for is held by others. It starts by itself as soon as there is room.
- **ACTIVE**: tasks and services can run.
- **finishing**: it takes nothing new and waits for what still runs.
- **DONE**, **CANCELED**, **FAILED**: it is over. A failed pilot says what to do first, and the last lines that it wrote.

**End** ends it now and says before what ends with it. In a notebook, \`ensure\` with the pilot's name gives the same pilot
again: running all cells twice never makes a second one.

- **Cores and GPUs in use** draws who held what, when, coloured by task set: drag to move, Ctrl and the wheel to zoom, point at a
  block to read it, click to open its task. **Show as a table** says the same in words.
- **Suspend** starts nothing new until **Resume**; **Let it finish** takes nothing new and ends the pilot when all has ended;
  **Extend** gives it more time where the engine can.
- A pilot with nothing to do says when it will end for that; **Keep** starts that time anew.

Ten minutes before the end a notification says so; JupyterLab's settings, under "Pilothouse", switch it off.
`,
  },
  services: {
    title: 'Help: services',
    text: `# Services

A service is a model or a program of yours behind one name, with one or more **instances**. Pilothouse starts it on a pilot from a
template or a command, or you **attach** a server that runs already.

| to … | do … |
|---|---|
| start one | **Start service**: template, pilot, parameters, how many instances; the sentence at the end says what would be run and whether it fits |
| use one that runs | **Attach service**: while you type the address, Pilothouse says what answers there, with which models, and whether it asks for a key |
| ask it | **Try it**: chat, completion, embedding, tensors, a method with its form, or a plain request; Ctrl+Enter sends |
| use it in a notebook | **Insert into notebook**, or drag its row into the notebook: Python, tslab, Deno |
| have more or fewer instances | **Scale**: a number, or between two numbers by what there is to do; at least 0 lets it sleep while nobody asks |
| start an instance anew | **Restart** beside it; for all: one after the other, so that others answer meanwhile |
| end it gently | **Drain**: takes nothing new, stops when what it has is answered |
| find what was asked | **History**: search in questions and answers, open one, ask it again |

**Attach** with a key: **Add a credential** keeps it in a file that only you can read. It never reaches a notebook or this page again.

The line below an answer says where the time went, and **Requests over time** draws the same for all requests:

| part | means |
|---|---|
| communication | the way to the server and back |
| queue | from your question until it was sent, plus waiting inside the server where it says so |
| service | what is left: everything the server does around the model |
| inference | what the model itself took, as the server reports it |
| first token | from your question until the first piece of text |

**Instances** shows for each copy its state, its latest probes (*startup*: has it started, *readiness*: may requests come, *liveness*:
does it still live), what it answers now, and how long starting took: *launch* until the process runs, *init* until it is ready,
*publish* until it can be asked. *Left out for …* means that it failed several times in a row: others answer until it is tried again.
Addresses can be copied under **Endpoints**; a key never can.

**Stop** ends the instances and their answers. An attached service is only let go: its server goes on.
`,
  },
  batches: {
    title: 'Help: batches',
    text: `# Batches

A batch is many requests to one service as one thing: \`llm.map("prompts.jsonl", out="answers.jsonl")\` in a notebook. It runs beside
the instances and keeps them busy; it needs neither this page nor a kernel.

- Rows come out as they are answered, into the file that the page names. Rows that failed stand there with their error.
- The same call again does only what is missing.
- **Cancel** stops what is under way. Rows that are answered stay.
- It waits where its service is not ready, and goes on by itself.
`,
  },
  tasks: {
    title: 'Help: tasks',
    text: `# Tasks

A task is a command or a function that runs on a pilot; a task set is many of them as one thing. The table shows all of them live: a plain
table up to 200 rows, beyond that a grid that holds 100,000.

| to … | do … |
|---|---|
| see some only | press a state above the table, choose a set, or type a part of a name, an id or a reason |
| sort, group | click a title; **Group by** set or state |
| see one | click it: log, times, usage, files and description stand beside the table; double-click or Enter opens its own page |
| act on many | choose them with Shift, Ctrl or Space, then **Cancel tasks**, **Retry** or **Open logs** |

Rows stay where they are while the pointer is over them. What would come, go or move is counted: **12 changes · Show** puts it in order.

Keys in the grid: arrows, Page Up, Page Down, Home and End move; Shift takes rows along; Space adds one; Ctrl+A all; Enter opens; Delete
cancels, after asking; Escape chooses none.

**Why** says what a task waits for, or what went wrong; on its page with what that was read from. **Retry** runs the same again as a new task.
Files larger than 64 MiB are for copying on the machine: the list says where they are.
`,
  },
};
