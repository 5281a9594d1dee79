import type { Picture } from '@pilothouse/sdk';
import type { BatchRecord, PilotRecord, ServiceRecord, TaskSetRecord } from '@pilothouse/sdk/internal';
import { type ReactNode, useMemo, useState } from 'react';
import { BatchRow } from '../components/batch-row.js';
import { PilotRow } from '../components/pilot-row.js';
import { ReactPanel } from '../components/react-panel.js';
import { Section } from '../components/section.js';
import { ServiceRow } from '../components/service-row.js';
import { EmptyState, LinkButton } from '../components/small.js';
import { isFinal } from '../format/state.js';
import { useApp } from '../hooks/context.js';
import { useLive, useStableOrder } from '../hooks/live.js';
import { helmIcon } from '../icons.js';
import type { ThingKind } from '../things.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';
import { Header } from './header.js';
import { NotConnected } from './not-connected.js';
import { TasksSection } from './tasks-section.js';

/** From this many rows on, a filter by name appears. */
const FILTER_FROM = 8;
/** Batches that the sidebar shows, the live ones first. */
const MOST_BATCHES = 12;

/** The sidebar: what there is, how it stands, and what can be done about it. */
export class Sidebar extends ReactPanel {
  constructor(app: IPilothouse) {
    super(app);
    this.id = 'pilothouse-sidebar';
    this.addClass('ph-Sidebar');
    this.title.icon = helmIcon;
    this.title.caption = 'Pilothouse';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Pilothouse');
  }

  protected content(): ReactNode {
    return <SidebarContent />;
  }
}

function SidebarContent(): JSX.Element {
  const app = useApp();
  const link = useLive(app.link.value$, app.link.value);
  const picture = useLive(app.session.picture$, app.session.picture);
  const { pilots, services, tasks, sets, batches } = picture;
  const known = pilots.length + services.length + tasks.length + sets.length + batches.length > 0;
  return (
    <>
      <Header link={link} />
      {link.state === 'broken' && link.error !== null ? <NotConnected error={link.error} /> : null}
      {link.state === 'connecting' && !known ? (
        <EmptyState text={app.trans.__('Connecting to Pilothouse …')} />
      ) : link.state === 'broken' && !known ? null : (
        <div className={link.state === 'connected' ? 'ph-Lists' : 'ph-Lists ph-mod-stale'}>
          <Lists picture={picture} />
        </div>
      )}
    </>
  );
}

function Lists({ picture }: { readonly picture: Picture }): JSX.Element {
  const { hidden, trans } = useApp();
  const ids = useLive(hidden.ids$, hidden.ids);
  const [filter, setFilter] = useState('');
  const pilots = useMemo(() => liveFirst('pilot', picture.pilots, ids), [picture.pilots, ids]);
  const services = useMemo(() => liveFirst('service', picture.services, ids), [picture.services, ids]);
  const sets = useMemo(() => liveFirst('set', picture.sets, ids), [picture.sets, ids]);
  const tasks = useMemo(() => liveFirst('task', picture.tasks, ids), [picture.tasks, ids]);
  const batches = useMemo(() => liveFirst('batch', picture.batches, ids), [picture.batches, ids]);
  const rows = pilots.length + services.length + batches.length + sets.length + tasks.length;
  const filtering = rows >= FILTER_FROM;
  const wanted = filtering ? filter.trim().toLowerCase() : '';
  const match = <T extends { readonly name: string }>(items: readonly T[]): readonly T[] =>
    wanted === '' ? items : items.filter((item) => item.name.toLowerCase().includes(wanted));
  return (
    <>
      {filtering ? (
        <input
          className="ph-Filter jp-mod-styled"
          type="search"
          placeholder={trans.__('Filter by name')}
          aria-label={trans.__('Filter by name')}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      ) : null}
      <Section id="pilots" title={trans.__('Pilots')} count={pilots.length}>
        <Pilots pilots={match(pilots)} filtered={wanted !== ''} />
      </Section>
      <Section id="services" title={trans.__('Services')} count={services.length}>
        <Services services={match(services)} batches={match(batches)} filtered={wanted !== ''} />
      </Section>
      <Section id="tasks" title={trans.__('Tasks')} count={tasks.length + total(sets)}>
        <TasksSection sets={match(sets)} tasks={match(tasks)} filtered={wanted !== ''} />
      </Section>
    </>
  );
}

function Pilots(props: { readonly pilots: readonly PilotRecord[]; readonly filtered: boolean }): JSX.Element {
  const { commands, trans } = useApp();
  const { items, hold } = useStableOrder(props.pilots, (pilot) => pilot.id);
  if (items.length > 0) {
    return (
      <ul className="ph-Rows" aria-label={trans.__('Pilots')} {...hold}>
        {items.map((pilot) => (
          <PilotRow key={pilot.id} pilot={pilot} />
        ))}
      </ul>
    );
  }
  if (props.filtered) return <EmptyState text={trans.__('No pilot has that in its name.')} />;
  return (
    <EmptyState text={trans.__('No pilots yet. A pilot holds cores and GPUs for your tasks and services.')}>
      <LinkButton onClick={() => void commands.execute(CommandIDs.newPilot)}>{trans.__('New pilot')}</LinkButton>
      {' · '}
      <LinkButton onClick={() => void commands.execute(CommandIDs.tryDemo)}>{trans.__('Try the demo')}</LinkButton>
    </EmptyState>
  );
}

/** Services, and below them the batches that ask them. */
function Services(props: {
  readonly services: readonly ServiceRecord[];
  readonly batches: readonly BatchRecord[];
  readonly filtered: boolean;
}): JSX.Element {
  const { commands, trans } = useApp();
  const services = useStableOrder(props.services, (service) => service.id);
  const batches = useStableOrder(props.batches, (batch) => batch.id);
  if (services.items.length + batches.items.length > 0) {
    return (
      <>
        {services.items.length === 0 ? null : (
          <ul className="ph-Rows" aria-label={trans.__('Services')} {...services.hold}>
            {services.items.map((service) => (
              <ServiceRow key={service.id} service={service} />
            ))}
          </ul>
        )}
        {batches.items.length === 0 ? null : (
          <ul className="ph-Rows" aria-label={trans.__('Batches')} {...batches.hold}>
            {batches.items.slice(0, MOST_BATCHES).map((batch) => (
              <BatchRow key={batch.id} batch={batch} />
            ))}
          </ul>
        )}
      </>
    );
  }
  if (props.filtered) return <EmptyState text={trans.__('No service has that in its name.')} />;
  return (
    <EmptyState
      text={trans.__(
        'No services yet. A service is a model that answers requests, on one of your pilots or elsewhere.',
      )}
    >
      <LinkButton onClick={() => void commands.execute(CommandIDs.startService)}>
        {trans.__('Start service')}
      </LinkButton>
      {' · '}
      <LinkButton onClick={() => void commands.execute(CommandIDs.attachService)}>
        {trans.__('Attach service')}
      </LinkButton>
    </EmptyState>
  );
}

/** Tasks of all these sets together. */
function total(sets: readonly TaskSetRecord[]): number {
  return sets.reduce((sum, { counts }) => sum + counts.total, 0);
}

/** What is live comes before what has ended; within each the newest first, as they come. */
function liveFirst<T extends { readonly id: string; readonly state: string }>(
  kind: ThingKind,
  items: readonly T[],
  hidden: ReadonlySet<string>,
): readonly T[] {
  const shown = items.filter((item) => !hidden.has(item.id));
  return [...shown.filter((item) => !isFinal(kind, item.state)), ...shown.filter((item) => isFinal(kind, item.state))];
}
