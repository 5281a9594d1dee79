/** Version of the protocol between clients and services of one's own; see docs/protocol/service.md. */
export const SERVICE_PROTOCOL = 1;

/** Bytes of a header. */
export const MAX_HEADER = 64 * 1024;
/** Bytes of one frame; a peer that sends more is disconnected. */
export const MAX_FRAME = 256 * 1024 * 1024;
/** Binary frames of one message. */
export const MAX_BINARIES = 1024;
/** Calls of one connection that are not answered yet. */
export const MAX_CALLS = 4096;
/** Pieces that a service may send ahead of a client. */
export const MAX_CREDITS = 1024;
/** Levels of a value. */
export const MAX_DEPTH = 200;

/** Milliseconds between two ZMTP heartbeats, and after which a peer that answers none is given up. */
export const HEARTBEAT = { interval: 5000, timeout: 20_000 } as const;
