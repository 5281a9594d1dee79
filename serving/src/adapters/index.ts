export { type Adapters, createAdapters } from './adapters.js';
export { type HttpCall, HttpClient, type HttpReply } from './http/client.js';
export { neverArrived } from './http/failures.js';
export { noFiles } from './openai/messages.js';
export { openAiBase } from './openai/openai.js';
export { unsupported } from './support.js';
