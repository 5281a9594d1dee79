import type { TranslationBundle } from '@jupyterlab/translation';
import type { Picture } from '@pilothouse/sdk';
import { formatBytes, formatSeconds, type PilotRecord, type ServiceRecord } from '@pilothouse/sdk/internal';
import { isFinal, stateWord } from './state.js';
import { lasting } from './time.js';

/** Counts of what is live, for the status bar: `2 pilots · 37 tasks · 1 service`. */
export function liveSummary(picture: Picture, trans: TranslationBundle): string {
  const pilots = picture.pilots.filter((pilot) => !isFinal('pilot', pilot.state)).length;
  const services = picture.services.filter((service) => !isFinal('service', service.state)).length;
  const tasks = liveTasks(picture);
  return [
    trans._n('%1 pilot', '%1 pilots', pilots),
    trans._n('%2 task', '%2 tasks', tasks, tasks.toLocaleString()),
    ...(services > 0 ? [trans._n('%1 service', '%1 services', services)] : []),
  ].join(' · ');
}

/** Tasks that have not ended, those of sets included. */
export function liveTasks({ sets, tasks }: Picture): number {
  return (
    tasks.filter((task) => !isFinal('task', task.state)).length +
    sets.reduce((sum, { counts }) => sum + counts.running + counts.waiting, 0)
  );
}

/** What ends with a pilot, one sentence. */
export function endsWithPilot(pilot: PilotRecord, picture: Picture, trans: TranslationBundle): string {
  const services = picture.services.filter((s) => s.pilot === pilot.id && !isFinal('service', s.state));
  // What is bound to it, sets included, as the pilot itself counts it.
  const tasks = pilot.usage.running + pilot.usage.waiting;
  if (services.length === 0 && tasks === 0) return trans.__('Nothing runs on it.');
  const names = services.map((service) => service.name).join(', ');
  const parts = [
    ...(services.length === 0 ? [] : [trans._n('service %2', 'services %2', services.length, names)]),
    ...(tasks === 0 ? [] : [trans._n('%1 unfinished task', '%1 unfinished tasks', tasks)]),
  ];
  return trans.__('This also ends %1.', parts.join(trans.__(' and ')));
}

/** What ends with a service, one sentence. */
export function endsWithService(service: ServiceRecord, trans: TranslationBundle): string {
  if (service.origin === 'attached') return trans.__('It is only let go: the server itself goes on.');
  const { outstanding, queued } = service.load;
  const open = outstanding + queued;
  return open === 0
    ? trans.__('It answers nothing at the moment.')
    : trans._n('%1 answer in progress ends with it.', '%1 answers in progress end with it.', open);
}

/** What a pilot holds: `2 cores · 4 GiB · 1 h`. */
export function holds(pilot: PilotRecord, trans: TranslationBundle): string {
  const { cores, gpus, memory, runtime } = pilot.resources;
  return [
    trans._n('%1 core', '%1 cores', cores),
    ...(gpus > 0 ? [trans._n('%1 GPU', '%1 GPUs', gpus)] : []),
    ...(memory === null ? [] : [formatBytes(memory)]),
    formatSeconds(runtime),
  ].join(' · ');
}

/** `1/3 ready`, or for an attached service its address. */
export function readiness(service: ServiceRecord, trans: TranslationBundle): string {
  const ready = service.instances.filter((instance) => instance.state === 'READY').length;
  return trans.__('%1/%2 ready', ready, service.instances.length);
}

/** The state in one sentence for a screen reader: `pilot demo is ACTIVE`. */
export function spoken(kind: string, name: string, state: string, trans: TranslationBundle): string {
  return trans.__('%1 %2 is %3', kind, name, stateWord(state));
}

/** "unreachable since 3 min", or null while there is contact. */
export function lostContact(
  record: { readonly contact: { lost: boolean; since: string } },
  now: number,
  trans: TranslationBundle,
): string | null {
  return record.contact.lost ? trans.__('unreachable since %1', lasting(record.contact.since, now)) : null;
}
