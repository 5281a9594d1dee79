export { ERROR_CODES, type ErrorCode, type ErrorData, errorCodeSchema, errorDataSchema } from './codes.js';
export { PilothouseError, type PilothouseErrorOptions, toErrorData } from './pilothouse-error.js';
export { RemoteError } from './remote-error.js';
