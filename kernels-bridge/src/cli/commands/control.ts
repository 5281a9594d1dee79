import type { Pilot } from '@pilothouse/sdk/node';
import { type Command, EXIT } from '../command.js';
import { withSession } from '../session.js';

/** A command that tells a pilot something. */
function control(name: string, summary: string, step: (pilot: Pilot) => Promise<void>, done: string): Command {
  return {
    name,
    usage: `${name} <pilot>`,
    summary,
    words: [1, 1],
    run: ({ result }, { positionals: [ref = ''] }) =>
      withSession(async (session) => {
        const pilot = await session.pilots.get(ref);
        await step(pilot);
        result(pilot.record, () => `${pilot.name} ${done}`);
        return EXIT.ok;
      }),
  };
}

export const drain = control(
  'drain',
  'Let a pilot finish what is on it, and then end',
  (pilot) => pilot.drain(),
  'takes nothing new, and ends when what is on it has ended.',
);
export const suspend = control(
  'suspend',
  'Have a pilot start nothing new; what runs goes on',
  (pilot) => pilot.suspend(),
  'starts nothing new until "pilothouse resume".',
);
export const resume = control(
  'resume',
  'Have a suspended pilot start tasks again',
  (pilot) => pilot.resume(),
  'starts tasks again.',
);
export const keep = control(
  'keep',
  'Keep a pilot that has nothing to do: its idle time starts anew',
  (pilot) => pilot.keep(),
  'is kept; its idle time starts anew.',
);

/** More time for a pilot. */
export const extend: Command = {
  name: 'extend',
  usage: 'extend <pilot> <duration>',
  summary: 'Give a pilot more time, for example 30m',
  words: [2, 2],
  run: ({ result }, { positionals: [ref = '', by = ''] }) =>
    withSession(async (session) => {
      const pilot = await session.pilots.get(ref);
      await pilot.extend(by);
      result(pilot.record, () => `${pilot.name} has ${by} more.`);
      return EXIT.ok;
    }),
};
