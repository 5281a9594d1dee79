import type { TaskManager } from '../../managers/task-manager.js';
import { os } from '../implementer.js';

export function tasksRouter(tasks: TaskManager) {
  return {
    submit: os.tasks.submit.handler(({ input }) => tasks.submit(input.tasks, input.origin)),
    get: os.tasks.get.handler(({ input }) => tasks.get(input.ref)),
    list: os.tasks.list.handler(({ input }) => tasks.list(input.all)),
    explain: os.tasks.explain.handler(({ input }) => tasks.explain(input.ref)),
    log: os.tasks.log.handler(({ input: { ref, ...range } }) => tasks.log(ref, range)),
    cancel: os.tasks.cancel.handler(({ input }) => tasks.cancel(input.ref)),
  };
}
