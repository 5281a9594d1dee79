import { type AgentFrame, type BridgeFrame, PilothouseError, toErrorData } from '@pilothouse/sdk/shared';
import type { Link } from '../link/link.js';
import type { Public } from '../node-context.js';
import type { Output } from '../output/output.js';
import type { Supervisor } from '../supervisor/supervisor.js';
import type { TaskFolders } from '../tasks/stages.js';
import type { Tasks } from '../tasks/tasks.js';

/** Frames that want an answer. */
export type Question = Extract<BridgeFrame, { re: number }>;
type Answer = Omit<Extract<AgentFrame, { type: 'reply' }>, 'type' | 're'>;

/** Answers what the bridge asks: pieces of output and files, reasons, probes. */
export class Questions {
  readonly #tasks: Tasks;
  readonly #services: Supervisor;
  readonly #output: Public<Output>;
  readonly #folders: TaskFolders;
  readonly #link: () => Link;

  constructor(tasks: Tasks, services: Supervisor, output: Public<Output>, folders: TaskFolders, link: () => Link) {
    this.#tasks = tasks;
    this.#services = services;
    this.#output = output;
    this.#folders = folders;
    this.#link = link;
  }

  async answer(question: Question): Promise<void> {
    const { re } = question;
    try {
      this.#link().reply({ type: 'reply', re, ...(await this.#answerTo(question)) });
    } catch (error) {
      this.#link().reply({ type: 'reply', re, error: toErrorData(error) });
    }
  }

  async #answerTo(question: Question): Promise<Answer> {
    switch (question.type) {
      case 'log': {
        const { id, stream, offset, limit } = question;
        const expected = this.#tasks.has(id) || this.#services.has(id);
        return { log: await this.#output.read(id, stream, offset, limit, expected) };
      }
      case 'explain':
        return { explanation: this.#tasks.explain(question.id) ?? notHere(question.id) };
      case 'files':
        return { files: [...(await this.#folders.files(this.#folderOf(question.id)))] };
      case 'file': {
        const { id, path, offset, limit } = question;
        return { chunk: await this.#folders.chunk(this.#folderOf(id), path, offset, limit) };
      }
      case 'probe':
        await this.#services.probeNow(question.instances);
        this.#link().beat();
        return {};
    }
  }

  #folderOf(id: string): string {
    return (this.#tasks.folderOf(id) ?? notHere(id)).cwd;
  }
}

function notHere(id: string): never {
  throw new PilothouseError('TASK_NOT_FOUND', `task ${id} is not under way on this pilot`, {
    hint: 'It has ended, or it is on another pilot.',
    ids: { task: id },
  });
}
