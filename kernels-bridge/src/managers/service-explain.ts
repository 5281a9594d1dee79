import { type InstanceRecord, instanceStates, PROBE_ROLES, type ServiceRecord } from '@pilothouse/sdk/internal';
import type { Explanation } from '../engines/index.js';

/** Why a service is not further than it is, from what is known of its instances and their probes. */
export function explainService(service: ServiceRecord, pilot: (() => Explanation) | null): Explanation {
  const evidence = [
    ...service.instances.flatMap((instance) => instanceEvidence(instance)),
    ...(service.scale?.why === null || service.scale === null ? [] : [`scaled ${service.scale.why}`]),
  ];
  if (service.error !== null) return { text: service.error.message, evidence };
  if (service.contact.lost) return { text: `not reachable since ${service.contact.since}`, evidence };
  if (pilot !== null) {
    const why = pilot();
    return { text: why.text, evidence: [...why.evidence, ...evidence] };
  }
  const plain = service.state === 'READY' ? 'nothing stands in its way' : `it is ${service.state}`;
  return { text: service.reason?.text ?? plain, evidence };
}

function instanceEvidence(instance: InstanceRecord): string[] {
  const { index, state, reason, error, stderrTail, progress, probe, probes, load, attempt } = instance;
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(`instance ${index} ${text}`);
  if (state !== 'READY') {
    const again = attempt > 1 ? ` (attempt ${attempt})` : '';
    say(`is ${state}${again}${reason === null ? '' : `: ${reason.text}`}`);
  }
  if (instance.draining) say('is being emptied: it takes nothing new');
  if (progress !== null) say(`loads: ${progress.text}`);
  if (!instanceStates.isFinal(state)) {
    for (const role of PROBE_ROLES) {
      const result = probes[role];
      if (result !== undefined && (!result.ok || state !== 'READY')) {
        say(`${role} probe ${result.ok ? 'passed' : 'failed'} at ${result.at}: ${result.text}`);
      }
    }
    if (Object.keys(probes).length === 0 && probe !== null && !probe.ok) {
      say(`probe failed at ${probe.at}: ${probe.text}`);
    }
  }
  if (load?.why !== null && load?.why !== undefined) say(`is left out: ${load.why}`);
  if (error !== null) lines.push(error.message);
  if (stderrTail !== null && state !== 'READY') lines.push(stderrTail);
  return lines;
}
