import type { PilotRecord } from '@pilothouse/sdk/internal';
import { isFinal } from '../format/state.js';
import { countdown, exactTime, secondsUntil } from '../format/time.js';
import { useApp } from '../hooks/context.js';
import { useNow } from '../hooks/live.js';

/** How long a pilot will go on by itself, counting down. */
export function TimeLeft({ pilot }: { readonly pilot: PilotRecord }): JSX.Element | null {
  const { trans } = useApp();
  const now = useNow();
  if (pilot.endsAt === null || isFinal('pilot', pilot.state)) return null;
  const left = secondsUntil(pilot.endsAt, now);
  return (
    <time
      className={left < 600 ? 'ph-TimeLeft ph-mod-soon' : 'ph-TimeLeft'}
      dateTime={pilot.endsAt}
      title={trans.__('Ends by itself at %1', exactTime(pilot.endsAt))}
    >
      {trans.__('%1 left', countdown(left))}
    </time>
  );
}
