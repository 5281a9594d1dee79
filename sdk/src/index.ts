export * from './errors/index.js';
export { isId, newId, shortId } from './ids/ids.js';
export * from './states/index.js';
export { type Duration, durationSchema, formatSeconds, toSeconds } from './units/duration.js';
export { formatBytes, type Size, sizeSchema, toBytes } from './units/size.js';
