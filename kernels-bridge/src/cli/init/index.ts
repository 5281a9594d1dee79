export { type InitOptions, type InitReport, initWorkspace } from './init-workspace.js';
export type { LinkedPackage, PackageSource } from './packages.js';
