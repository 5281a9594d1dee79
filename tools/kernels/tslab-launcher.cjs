// Starts tslab for our kernelspec, and adds the four things that a notebook with Pilothouse needs and tslab lacks:
// one display message with all its MIME types, cells that end with what they show, an end when Jupyter asks for it, and
// an end when Jupyter is gone.
//
// It is CommonJS because tslab is: both must share one instance of tslab's own modules.
'use strict';

const jupyter = require('tslab/dist/jupyter.js');
const { startKernel } = require('tslab/dist/main.js');

const PARENT_POLL_MS = 1000;
/** Time for the reply to a shutdown request to leave through ZeroMQ before the process ends. */
const SHUTDOWN_GRACE_MS = 200;

/**
 * tslab's public API puts one MIME type into each message, so a saved notebook would hold the live view and its HTML
 * as two outputs, and an update would replace only one. The SDK finds this hook by its symbol and sends whole bundles.
 */
const held = new Set();
globalThis[Symbol.for('pilothouse.display')] = {
  runtime: 'tslab',
  /**
   * Keeps the running cell from ending before the promise settles: without anybody in front of the notebook the kernel
   * is ended right after its last cell, and what that cell shows would stay unfinished.
   * @param {Promise<unknown>} promise
   */
  hold(promise) {
    held.add(promise);
  },
  /**
   * @param {Record<string, unknown>} bundle the MIME types of one output
   * @param {{ displayId?: string, update?: boolean, metadata?: Record<string, unknown> }} [options]
   */
  display(bundle, { displayId, update = false, metadata = {} } = {}) {
    const write = jupyter.lastWriteDisplayData;
    if (write === null) throw new Error('Nothing can be shown before the first cell has run.');
    write({ data: bundle, metadata, transient: displayId === undefined ? {} : { display_id: displayId } }, update);
  },
};

const executeCell = jupyter.JupyterHandlerImpl.prototype.handleExecuteImpl;
jupyter.JupyterHandlerImpl.prototype.handleExecuteImpl = async function handleExecuteImpl(...request) {
  try {
    return await executeCell.apply(this, request);
  } finally {
    await Promise.allSettled(held);
    held.clear();
  }
};

// tslab closes its own sockets on a shutdown request and then waits for the event loop to empty. A session that is
// still connected keeps the loop busy, and each restart of the kernel would wait until Jupyter kills the process.
const closeSockets = jupyter.ZmqServer.prototype.close;
jupyter.ZmqServer.prototype.close = function close() {
  closeSockets.call(this);
  setTimeout(() => process.exit(0), SHUTDOWN_GRACE_MS);
};

// A Jupyter server that was killed asks nobody to shut down: without this its kernels would stay for ever.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(1);
}, PARENT_POLL_MS).unref();

const [configPath] = process.argv.slice(2);
if (configPath === undefined) {
  process.stderr.write('Use: tslab-launcher.cjs CONNECTION_FILE (Jupyter fills it in from kernel.json)\n');
  process.exit(2);
}
// `enableFindLocal: false`: a tslab inside the notebook's folder would bring its own modules and lose the hook above.
startKernel({ configPath, enableFindLocal: false, jsKernel: false });
