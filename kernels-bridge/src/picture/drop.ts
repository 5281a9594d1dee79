import type { Picture } from './picture.js';

/** Takes pilots off the lists with everything that was on them alone; their lines stay in the logs for as long as those. */
export function dropPilots(picture: Picture, pilots: readonly string[]): void {
  const { tasks } = picture;
  const dropped = new Set(pilots);
  for (const pilot of pilots) {
    for (const slot of [...tasks.on(pilot)]) {
      if (tasks.isFinal(slot) && tasks.setOf(slot) === undefined) picture.remove('task', tasks.idOf(slot));
    }
    for (const service of [...picture.servicesOn(pilot)]) picture.remove('service', service);
  }
  for (const set of [...tasks.sets.values()]) {
    if (set.endedAt === null || set.slots.length === 0) continue;
    let elsewhere = false;
    for (const slot of set.slots) elsewhere ||= !dropped.has(tasks.pilotOf(slot) ?? '');
    if (!elsewhere) picture.remove('set', set.id);
  }
  for (const pilot of pilots) {
    tasks.timelines.forget(pilot);
    picture.remove('pilot', pilot);
  }
}
