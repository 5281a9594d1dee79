import type { Picture } from '@pilothouse/sdk';
import { engineWord, type PilotRecord } from '@pilothouse/sdk/internal';
import { type ReactNode, useMemo } from 'react';
import { map } from 'rxjs';
import { PilotMeters, WhyLine } from '../components/pilot-row.js';
import { ProblemNote } from '../components/problem-note.js';
import { ReactPanel } from '../components/react-panel.js';
import { ServiceRow } from '../components/service-row.js';
import { EmptyState, HelpButton, LinkButton, LiveRegion, ShortId, Since, TextButton } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { TimeLeft } from '../components/time-left.js';
import { fromData } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { holds, spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';
import { Missing, Part } from './page.js';
import { StateTimes } from './state-times.js';
import { TaskTable } from './task-table.js';

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
  const tasks = picture.tasks.filter((task) => task.pilot === pilot.id);
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
          {final ? null : (
            <TextButton onClick={() => void commands.execute(CommandIDs.insert, args)}>
              {trans.__('Insert into notebook')}
            </TextButton>
          )}
          {final ? null : (
            <TextButton warn onClick={() => void commands.execute(CommandIDs.endPilot, args)}>
              {trans.__('End')}
            </TextButton>
          )}
        </span>
      </header>
      <LiveRegion text={spoken(trans.__('pilot'), pilot.name, pilot.state, trans)} />
      {pilot.error === null ? <WhyLine kind="pilot" record={pilot} /> : <ProblemNote problem={fromData(pilot.error)} />}
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
      </Part>
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
        <TaskTable tasks={tasks} />
      </Part>
      <Part title={trans.__('Times')}>
        <StateTimes times={pilot.times} endsAt={pilot.endsAt} />
      </Part>
    </>
  );
}
