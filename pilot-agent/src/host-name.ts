import { hostname } from 'node:os';

/** Name of this node. Asked once: the system call costs as much as a task's record. */
export const HOST_NAME = hostname();
