import type { Picture } from '@pilothouse/sdk';
import { engineWord, type PilotRecord } from '@pilothouse/sdk/internal';
import { type ReactNode, useMemo } from 'react';
import { map } from 'rxjs';
import { PilotNotes } from '../components/pilot-notes.js';
import { PilotMeters } from '../components/pilot-row.js';
import { ProblemNote } from '../components/problem-note.js';
import { ReactPanel } from '../components/react-panel.js';
import { ServiceRow } from '../components/service-row.js';
import { EmptyState, HelpButton, LinkButton, LiveRegion, ShortId, Since, TextButton } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { TimeLeft } from '../components/time-left.js';
import { WhyLine } from '../components/why-line.js';
import { fromData } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { holds, spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { TimelineView } from '../timeline/timeline-view.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';
import { Missing, Part } from './page.js';
import { PilotTasks } from './pilot-tasks.js';
import { StateTimes } from './state-times.js';

/** The page of one pilot. */
export class PilotPage extends ReactPanel {
  constructor(
    app: IPilothouse,
    readonly targetId: string,
  ) {
    super(app);
    this.addClass('ph-Page');
  }

  protected content(): ReactNode {
    return <PilotPageContent id={this.targetId} />;
  }
}

function PilotPageContent({ id }: { readonly id: string }): JSX.Element {
  const { session, trans } = useApp();
  const source = useMemo(() => session.picture$.pipe(map((picture) => view(picture, id))), [session, id]);
  const { pilot, picture } = useLive(source, view(session.picture, id));
  if (pilot === undefined) return <Missing what={trans.__('pilot')} />;
  return <PilotDetails pilot={pilot} picture={picture} />;
}

function view(picture: Picture, id: string): { pilot: PilotRecord | undefined; picture: Picture } {
  return { pilot: picture.pilots.find((pilot) => pilot.id === id), picture };
}

function PilotDetails(props: { readonly pilot: PilotRecord; readonly picture: Picture }): JSX.Element {
  const { commands, trans } = useApp();
  const { pilot, picture } = props;
  const final = isFinal('pilot', pilot.state);
  const args = { kind: 'pilot', id: pilot.id };
  const services = picture.services.filter((service) => service.pilot === pilot.id);
  const run = (command: string) => () => void commands.execute(command, args);
  const begun = pilot.startedAt !== null;
  return (
    <>
      <header className="ph-Page-head">
        <h2>{pilot.name}</h2>
        <StateBadge kind="pilot" state={pilot.state} />
        <span>
          {final ? null : trans.__('for')} <Since time={pilot.since} ago={final} />
        </span>
        <TimeLeft pilot={pilot} />
        <span className="ph-Page-actions">
          <HelpButton page="pilots" />
          {final ? null : <TextButton onClick={run(CommandIDs.insert)}>{trans.__('Insert into notebook')}</TextButton>}
          {final ? null : <PilotActions pilot={pilot} run={run} />}
        </span>
      </header>
      <LiveRegion text={spoken(trans.__('pilot'), pilot.name, pilot.state, trans)} />
      {pilot.error === null ? <WhyLine kind="pilot" record={pilot} /> : <ProblemNote problem={fromData(pilot.error)} />}
      <PilotNotes pilot={pilot} />
      <Part title={trans.__('Resources')}>
        <p>
          {engineWord(pilot.engine)}
          {pilot.node === null ? null : ` · ${trans.__('on the node %1', pilot.node)}`}
          {` · ${holds(pilot, trans)} · `}
          <ShortId id={pilot.id} />
        </p>
        {final ? null : (
          <div className="ph-Meters">
            <PilotMeters pilot={pilot} />
          </div>
        )}
        <Efficiency pilot={pilot} />
      </Part>
      {begun ? (
        <Part title={trans.__('Cores and GPUs in use')}>
          <TimelineView pilot={pilot} />
        </Part>
      ) : null}
      <Part title={trans.__('Services')}>
        {services.length === 0 ? (
          <EmptyState text={trans.__('No service runs on this pilot.')}>
            {final ? null : (
              <LinkButton onClick={() => void commands.execute(CommandIDs.startService)}>
                {trans.__('Start service')}
              </LinkButton>
            )}
          </EmptyState>
        ) : (
          <ul className="ph-Rows" aria-label={trans.__('Services on this pilot')}>
            {services.map((service) => (
              <ServiceRow key={service.id} service={service} />
            ))}
          </ul>
        )}
      </Part>
      <Part title={trans.__('Tasks')}>
        <PilotTasks pilot={pilot} />
      </Part>
      <Part title={trans.__('Times')}>
        <StateTimes times={pilot.times} endsAt={pilot.endsAt} />
      </Part>
    </>
  );
}

/** What can be done with a pilot that goes on. */
function PilotActions(props: {
  readonly pilot: PilotRecord;
  readonly run: (command: string) => () => void;
}): JSX.Element {
  const { trans } = useApp();
  const { pilot, run } = props;
  const active = pilot.state === 'ACTIVE';
  return (
    <>
      {active ? <TextButton onClick={run(CommandIDs.extendPilot)}>{trans.__('Extend')}</TextButton> : null}
      {active && !pilot.suspended ? (
        <TextButton title={trans.__('Starts nothing new until it is resumed')} onClick={run(CommandIDs.suspendPilot)}>
          {trans.__('Suspend')}
        </TextButton>
      ) : null}
      {active ? (
        <TextButton
          title={trans.__('Takes nothing new, and ends when what is on it has ended')}
          onClick={run(CommandIDs.drainPilot)}
        >
          {trans.__('Let it finish')}
        </TextButton>
      ) : null}
      <TextButton warn onClick={run(CommandIDs.endPilot)}>
        {trans.__('End')}
      </TextButton>
    </>
  );
}

/** How much of what it holds has been used so far. */
function Efficiency({ pilot }: { readonly pilot: PilotRecord }): JSX.Element | null {
  const { trans } = useApp();
  const { efficiency } = pilot;
  if (efficiency === null) return null;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  const parts = [
    ...(efficiency.cores === null ? [] : [trans.__('%1 of its core time', percent(efficiency.cores))]),
    ...(efficiency.gpus === null ? [] : [trans.__('%1 of its GPU time', percent(efficiency.gpus))]),
  ];
  if (parts.length === 0) return null;
  return (
    <p title={trans.__('What tasks and services held, over what there was')}>
      {trans.__('Used so far: %1.', parts.join(', '))}
    </p>
  );
}
