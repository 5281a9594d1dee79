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
  const batches = picture.batches.filter((batch) => !isFinal('batch', batch.state)).length;
  return [
    trans._n('%1 pilot', '%1 pilots', pilots),
    trans._n('%2 task', '%2 tasks', tasks, tasks.toLocaleString()),
    ...(services > 0 ? [trans._n('%1 service', '%1 services', services)] : []),
    ...(batches > 0 ? [trans._n('%1 batch', '%1 batches', batches)] : []),
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

/** What ends with a service, in sentences. */
export function endsWithService(service: ServiceRecord, picture: Picture, trans: TranslationBundle): string {
  const batches = picture.batches.filter((one) => one.service.id === service.id && !isFinal('batch', one.state));
  const waiting =
    batches.length === 0
      ? []
      : [trans.__('%1 then waits in vain until it is canceled.', batches.map((one) => one.name).join(', '))];
  if (service.origin === 'attached') {
    return [trans.__('It is only let go: the server itself goes on.'), ...waiting].join(' ');
  }
  const { outstanding, queued } = service.load;
  const open = outstanding + queued;
  const live = service.instances.filter((instance) => !isFinal('instance', instance.state)).length;
  return [
    ...(live > 1 ? [trans.__('All %1 instances end.', live)] : []),
    open === 0
      ? trans.__('It answers nothing at the moment.')
      : trans._n('%1 answer in progress ends with it.', '%1 answers in progress end with it.', open),
    ...waiting,
  ].join(' ');
}

/** What a restart of one instance, or of all, means for those who wait. */
export function endsWithRestart(
  { instances, load }: ServiceRecord,
  instance: number | undefined,
  trans: TranslationBundle,
): string {
  const ready = instances.filter(({ state }) => state === 'READY').length;
  if (instance !== undefined) {
    const there = instances.find(({ index }) => index === instance)?.load?.outstanding ?? 0;
    return [
      there === 0
        ? trans.__('It answers nothing at the moment.')
        : trans._n('%1 answer under way there is broken off.', '%1 answers under way there are broken off.', there),
      ready > 1 ? trans.__('The others answer meanwhile.') : trans.__('Until it is ready again, requests wait.'),
    ].join(' ');
  }
  if (ready > 1) return trans.__('Its instances start anew one after the other; the others answer meanwhile.');
  return [
    trans.__('It has one instance: until that is ready again, requests wait.'),
    ...(load.outstanding > 0
      ? [trans._n('%1 answer is under way.', '%1 answers are under way.', load.outstanding)]
      : []),
  ].join(' ');
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

/** `1/3 ready`; `asleep` where no instance is wanted until the first request comes. */
export function readiness({ instances, scale, state }: ServiceRecord, trans: TranslationBundle): string {
  const live = instances.filter((instance) => !isFinal('instance', instance.state));
  const ready = live.filter((instance) => instance.state === 'READY' && !instance.draining).length;
  const wanted = scale?.wanted ?? live.length;
  if (wanted === 0 && live.length === 0 && state === 'READY') return trans.__('asleep, wakes with the first request');
  return trans.__('%1/%2 ready', ready, Math.max(wanted, live.length));
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
