/**
 * An exception as it was raised in a worker: the `cause` of an error with code FUNCTION_RAISED.
 *
 * `stack` is the worker's own traceback, so that whatever prints errors shows where it was raised.
 */
export class RemoteError extends Error {
  /** Class of the exception, such as `ValueError`. */
  readonly type: string;
  readonly traceback: string;

  constructor({
    type,
    message,
    traceback,
  }: { readonly type: string; readonly message: string; readonly traceback: string }) {
    super(message);
    this.name = type;
    this.type = type;
    this.traceback = traceback;
    if (traceback !== '') this.stack = traceback;
  }
}
