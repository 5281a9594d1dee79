// `npm run build`: all packages and the JupyterLab extension, where something has changed.
import { build } from './setup/product.mjs';
import { Progress } from './setup/progress.mjs';

await new Progress().step('Build', build);
