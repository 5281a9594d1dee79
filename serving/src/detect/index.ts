export { openAiCandidates } from './address.js';
export { type Checked, checkServer, detect } from './detect.js';
