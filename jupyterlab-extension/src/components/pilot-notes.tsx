import type { PilotRecord } from '@pilothouse/sdk/internal';
import { isFinal } from '../format/state.js';
import { countdown, exactTime, lasting, secondsSince, secondsUntil } from '../format/time.js';
import { useApp } from '../hooks/context.js';
import { useNow } from '../hooks/live.js';
import { CommandIDs } from '../tokens.js';
import { LinkButton, TextButton } from './small.js';

/** Seconds before the end for want of work from which a row speaks of it; the page does after a minute without work. */
const ROW_SPEAKS = 300;
const PAGE_SPEAKS = 60;

/** Whether an end for want of work is worth a word: not before it matters, and not where its time is over before. */
function isNear({ idle, endsAt }: PilotRecord, now: number, small: boolean): boolean {
  if (idle === null || (endsAt !== null && endsAt <= idle.endsAt)) return false;
  return small ? secondsUntil(idle.endsAt, now) <= ROW_SPEAKS : secondsSince(idle.since, now) >= PAGE_SPEAKS;
}

/** What somebody must know about a pilot before it surprises them: it starts nothing new, or ends for want of work. */
export function PilotNotes(props: {
  readonly pilot: PilotRecord;
  readonly readOnly?: boolean;
  /** In a row: takes little room. */
  readonly small?: boolean;
}): JSX.Element | null {
  const { commands, trans } = useApp();
  const { pilot, readOnly = false, small = false } = props;
  const Button = small ? LinkButton : TextButton;
  const now = useNow();
  if (isFinal('pilot', pilot.state)) return null;
  const run = (command: string) => () => void commands.execute(command, { id: pilot.id });
  const { suspended } = pilot;
  const idle = isNear(pilot, now, small) ? pilot.idle : null;
  if (idle === null && !suspended) return null;
  return (
    <>
      {suspended ? (
        <p className="ph-Note" role="status">
          {trans.__('It starts nothing new; what runs goes on.')}{' '}
          {readOnly ? null : <Button onClick={run(CommandIDs.resumePilot)}>{trans.__('Resume')}</Button>}
        </p>
      ) : null}
      {idle === null ? null : (
        <p className="ph-Note" title={trans.__('Ends by itself at %1', exactTime(idle.endsAt))}>
          {trans.__(
            'Nothing running for %1, ends in %2.',
            lasting(idle.since, now),
            countdown(secondsUntil(idle.endsAt, now)),
          )}{' '}
          {readOnly ? null : <Button onClick={run(CommandIDs.keepPilot)}>{trans.__('Keep')}</Button>}
        </p>
      )}
    </>
  );
}
