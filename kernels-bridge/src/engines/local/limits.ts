import { type EngineReport, formatBytes, formatSeconds, PilothouseError } from '@pilothouse/sdk/internal';
import type { PilotSpec } from '../engine.js';

/** Refuses what this machine can never give, naming the field and the limit. */
export function checkLimits(spec: PilotSpec, report: EngineReport): void {
  if (!report.available) {
    throw new PilothouseError('ENGINE_UNAVAILABLE', `pilots cannot run here: ${report.reason ?? 'not available'}`, {
      field: 'engine',
      hint: 'Start Pilothouse inside a job on a compute node.',
    });
  }
  const { limits } = report;
  if (spec.cores > limits.cores) refuse('cores', `${spec.cores} cores`, `${limits.cores}`, report);
  if (spec.gpus > limits.gpus)
    refuse('gpus', `${spec.gpus} GPUs`, limits.gpus === 0 ? 'none' : `${limits.gpus}`, report);
  if (spec.nodes > limits.nodes) refuse('nodes', `${spec.nodes} nodes`, `${limits.nodes}`, report);
  if (spec.memory !== null && spec.memory > limits.memory) {
    refuse('memory', formatBytes(spec.memory), formatBytes(limits.memory), report);
  }
  if (limits.runtime !== null && spec.runtime > limits.runtime) {
    const left = `${formatSeconds(limits.runtime)}, the rest of the surrounding job`;
    refuse('runtime', formatSeconds(spec.runtime), left, report);
  }
  if (spec.runtime <= 0) refuse('runtime', formatSeconds(spec.runtime), 'more than zero', report);
}

function refuse(field: string, asked: string, limit: string, report: EngineReport): never {
  throw new PilothouseError('PILOT_REFUSED', `${field}: ${asked} asked for, this machine gives ${limit}`, {
    field,
    hint: `Ask for less: at most ${limit}.`,
    evidence: report.evidence,
  });
}
