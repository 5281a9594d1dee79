import type { ServiceRecord } from '@pilothouse/sdk/internal';
import { type ReactNode, useEffect, useMemo, useRef } from 'react';
import { map } from 'rxjs';
import { BatchRow } from '../components/batch-row.js';
import { ProblemNote } from '../components/problem-note.js';
import { ReactPanel } from '../components/react-panel.js';
import { ScaleWhy, ServiceLoad } from '../components/service-load.js';
import { CopyButton, HelpButton, LinkButton, LiveRegion, ShortId, Since, TextButton } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { WhyLine } from '../components/why-line.js';
import { fromData } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { readiness, spoken } from '../format/summary.js';
import { useCall } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { Endpoints } from '../service/endpoints.js';
import { History } from '../service/history.js';
import { InstanceTable } from '../service/instance-table.js';
import { ServiceCharts } from '../service/service-charts.js';
import { ServiceLog } from '../service/service-log.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';
import { TryIt } from '../try-it/try-it.js';
import { Missing, Part } from './page.js';

/** Where to scroll; a new one each time it is asked for. */
interface Place {
  readonly name: string;
}

/** The page of one service. */
export class ServicePage extends ReactPanel {
  private part: Place | null = null;

  constructor(
    app: IPilothouse,
    readonly targetId: string,
  ) {
    super(app);
    this.addClass('ph-Page');
  }

  /** Scrolls to a part of the page: `log`. */
  reveal(part: string): void {
    this.part = { name: part };
    this.update();
  }

  protected content(): ReactNode {
    return <ServicePageContent id={this.targetId} part={this.part} />;
  }
}

function ServicePageContent(props: { readonly id: string; readonly part: Place | null }): JSX.Element {
  const { session, trans } = useApp();
  const { id } = props;
  const source = useMemo(
    () => session.picture$.pipe(map((picture) => picture.services.find((service) => service.id === id))),
    [session, id],
  );
  const service = useLive(
    source,
    session.picture.services.find((one) => one.id === id),
  );
  if (service === undefined) return <Missing what={trans.__('service')} />;
  return <ServiceDetails service={service} part={props.part} />;
}

function ServiceDetails(props: { readonly service: ServiceRecord; readonly part: Place | null }): JSX.Element {
  const { trans } = useApp();
  const { service, part } = props;
  const final = isFinal('service', service.state);
  const attached = service.origin === 'attached';
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (part?.name === 'log') log.current?.scrollIntoView({ block: 'start' });
  }, [part]);
  return (
    <>
      <ServiceHead service={service} />
      <LiveRegion text={spoken(trans.__('service'), service.name, service.state, trans)} />
      {service.error === null ? (
        <WhyLine kind="service" record={service} />
      ) : (
        <ProblemNote problem={fromData(service.error)} />
      )}
      <ServiceFacts service={service} />
      {final ? null : <ScaleWhy service={service} />}
      {service.openToNode && !final ? <p className="ph-Warn">{trans.__('open to users of this node')}</p> : null}
      {final ? null : (
        <Part title={trans.__('Try it')}>
          <TryIt service={service} />
        </Part>
      )}
      <Part title={trans.__('Instances')}>
        <InstanceTable service={service} />
        {final ? null : <ProbeNow service={service} />}
      </Part>
      <Part title={trans.__('Requests over time')}>
        <ServiceCharts service={service} />
      </Part>
      <ServiceBatches service={service} />
      <Part title={trans.__('History')}>
        <History service={service} />
      </Part>
      {final ? null : (
        <Part title={trans.__('Endpoints')}>
          <Endpoints service={service} />
        </Part>
      )}
      {attached ? null : (
        <div ref={log}>
          <Part title={trans.__('Log')}>
            <ServiceLog service={service} />
          </Part>
        </div>
      )}
    </>
  );
}

/** Name, state, load, and what can be done with the service. */
function ServiceHead({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { commands, trans } = useApp();
  const final = isFinal('service', service.state);
  const attached = service.origin === 'attached';
  const run = (command: string) => () => void commands.execute(command, { kind: 'service', id: service.id });
  return (
    <header className="ph-Page-head">
      <h2>{service.name}</h2>
      <StateBadge kind="service" state={service.state} />
      <span>
        {final ? null : trans.__('for')} <Since time={service.since} ago={final} />
      </span>
      {final ? null : (
        <>
          <span>{readiness(service, trans)}</span>
          <span className="ph-Meters">
            <ServiceLoad service={service} />
          </span>
        </>
      )}
      <span className="ph-Page-actions">
        <HelpButton page="services" />
        {final ? null : <TextButton onClick={run(CommandIDs.insert)}>{trans.__('Insert into notebook')}</TextButton>}
        {final || attached ? null : (
          <>
            <TextButton onClick={run(CommandIDs.scaleService)}>{trans.__('Scale')}</TextButton>
            <TextButton
              title={trans.__('Takes nothing new, and stops when what it has is answered')}
              onClick={run(CommandIDs.drainService)}
            >
              {trans.__('Drain')}
            </TextButton>
            <TextButton
              title={trans.__('Starts the instances anew, one after the other')}
              onClick={run(CommandIDs.restartService)}
            >
              {trans.__('Restart')}
            </TextButton>
          </>
        )}
        {final ? null : (
          <TextButton warn onClick={run(CommandIDs.stopService)}>
            {attached ? trans.__('Let go') : trans.__('Stop')}
          </TextButton>
        )}
      </span>
    </header>
  );
}

/** API, model, where it runs and under which key it is asked. */
function ServiceFacts({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { commands, session, trans } = useApp();
  const pilot = useLive(session.picture$, session.picture).pilots.find((one) => one.id === service.pilot);
  return (
    <p>
      {service.api}
      {service.model === null ? null : ` · ${trans.__('model %1', service.model)}`}
      {service.scale === null
        ? null
        : ` · ${trans.__('between %1 and %2 instances', service.scale.min, service.scale.max)}`}
      {pilot === undefined ? null : (
        <>
          {` · ${trans.__('on pilot')} `}
          <LinkButton onClick={() => void commands.execute(CommandIDs.openPilot, { id: pilot.id })}>
            {pilot.name}
          </LinkButton>
        </>
      )}
      {service.origin === 'attached' ? ` · ${trans.__('attached')}` : null}
      {service.credential === null ? null : ` · ${trans.__('credential %1', service.credential)}`}
      {' · '}
      <ShortId id={service.id} />
      {service.url === null ? null : (
        <>
          {' · '}
          <code>{service.url}</code> <CopyButton text={service.url} name={trans.__('Copy the address')} />
        </>
      )}
    </p>
  );
}

function ProbeNow({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { session, trans } = useApp();
  const probe = useCall(async () => {
    const handle = await session.services.get(service.id);
    try {
      await handle.probe();
    } finally {
      handle.close();
    }
  });
  return (
    <>
      <TextButton disabled={probe.busy} onClick={() => void probe.run()}>
        {probe.busy ? trans.__('Probing …') : trans.__('Probe now')}
      </TextButton>
      {probe.problem === null ? null : <ProblemNote problem={probe.problem} />}
    </>
  );
}

/** Batches that ask this service; nothing where there are none. */
function ServiceBatches({ service }: { readonly service: ServiceRecord }): JSX.Element | null {
  const { session, trans } = useApp();
  const batches = useLive(session.picture$, session.picture).batches.filter((one) => one.service.id === service.id);
  if (batches.length === 0) return null;
  return (
    <Part title={trans.__('Batches')}>
      <ul className="ph-Rows" aria-label={trans.__('Batches of this service')}>
        {batches.map((batch) => (
          <BatchRow key={batch.id} batch={batch} />
        ))}
      </ul>
    </Part>
  );
}
