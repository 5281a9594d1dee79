import type { EngineRegistry } from '../../engines/index.js';
import { os } from '../implementer.js';

export function enginesRouter(engines: EngineRegistry) {
  return { list: os.engines.list.handler(() => engines.report()) };
}
