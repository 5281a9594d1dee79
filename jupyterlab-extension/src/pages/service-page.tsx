import { type LogChunk, PilothouseError, type ServiceRecord } from '@pilothouse/sdk/internal';
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { map } from 'rxjs';
import { LogTail } from '../components/log-tail.js';
import { WhyLine } from '../components/pilot-row.js';
import { ProblemNote } from '../components/problem-note.js';
import { ReactPanel } from '../components/react-panel.js';
import { ServiceLoad } from '../components/service-row.js';
import { CopyButton, HelpButton, LinkButton, LiveRegion, ShortId, Since, TextButton } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { fromData } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { readiness, spoken } from '../format/summary.js';
import { useCall } from '../hooks/call.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { CommandIDs, type IPilothouse } from '../tokens.js';
import { InstanceTable } from './instance-table.js';
import { Missing, Part } from './page.js';
import { TryIt } from './try-it.js';

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
  const { commands, session, trans } = useApp();
  const { service, part } = props;
  const final = isFinal('service', service.state);
  const attached = service.origin === 'attached';
  const args = { kind: 'service', id: service.id };
  const pilot = useLive(session.picture$, session.picture).pilots.find((one) => one.id === service.pilot);
  const probe = useCall(async () => {
    const handle = await session.services.get(service.id);
    try {
      await handle.probe();
    } finally {
      handle.close();
    }
  });
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (part?.name === 'log') log.current?.scrollIntoView({ block: 'start' });
  }, [part]);
  return (
    <>
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
          {final ? null : (
            <TextButton onClick={() => void commands.execute(CommandIDs.insert, args)}>
              {trans.__('Insert into notebook')}
            </TextButton>
          )}
          {final ? null : (
            <TextButton warn onClick={() => void commands.execute(CommandIDs.stopService, args)}>
              {attached ? trans.__('Let go') : trans.__('Stop')}
            </TextButton>
          )}
        </span>
      </header>
      <LiveRegion text={spoken(trans.__('service'), service.name, service.state, trans)} />
      {service.error === null ? (
        <WhyLine kind="service" record={service} />
      ) : (
        <ProblemNote problem={fromData(service.error)} />
      )}
      <p>
        {service.api}
        {service.model === null ? null : ` · ${trans.__('model %1', service.model)}`}
        {pilot === undefined ? null : (
          <>
            {` · ${trans.__('on pilot')} `}
            <LinkButton onClick={() => void commands.execute(CommandIDs.openPilot, { id: pilot.id })}>
              {pilot.name}
            </LinkButton>
          </>
        )}
        {attached ? ` · ${trans.__('attached')}` : null}
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
      {service.openToNode && !final ? <p className="ph-Warn">{trans.__('open to users of this node')}</p> : null}
      {final ? null : (
        <Part title={trans.__('Try it')}>
          <TryIt service={service} />
        </Part>
      )}
      <Part title={trans.__('Instances')}>
        <InstanceTable service={service} />
        {final ? null : (
          <TextButton disabled={probe.busy} onClick={() => void probe.run()}>
            {probe.busy ? trans.__('Probing …') : trans.__('Probe now')}
          </TextButton>
        )}
        {probe.problem === null ? null : <ProblemNote problem={probe.problem} />}
      </Part>
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

const NOT_YET: LogChunk = { text: '', offset: 0, next: 0, size: 0, complete: false };

/** Output of one instance; which one and which stream can be chosen. */
function ServiceLog({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { session, trans } = useApp();
  const [instance, setInstance] = useState(1);
  const [stream, setStream] = useState<'stdout' | 'stderr'>('stderr');
  const { id } = service;
  const read = useCallback(
    async (offset: number, signal: AbortSignal) => {
      const handle = await session.services.get(id, { signal });
      try {
        return await handle.log({ instance, stream, offset, signal });
      } catch (error) {
        // An instance that has not been launched yet has no output, which is no failure.
        if (error instanceof PilothouseError && error.code === 'TASK_NOT_FOUND') return NOT_YET;
        throw error;
      } finally {
        handle.close();
      }
    },
    [session, id, instance, stream],
  );
  return (
    <>
      <div className="ph-Log-choice">
        {service.instances.length > 1 ? (
          <label>
            {trans.__('Instance')}{' '}
            <select
              className="jp-mod-styled"
              value={instance}
              onChange={(event) => setInstance(Number(event.target.value))}
            >
              {service.instances.map(({ index }) => (
                <option key={index} value={index}>
                  {index}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        <label>
          {trans.__('Output')}{' '}
          <select
            className="jp-mod-styled"
            value={stream}
            onChange={(event) => setStream(event.target.value === 'stdout' ? 'stdout' : 'stderr')}
          >
            <option value="stderr">stderr</option>
            <option value="stdout">stdout</option>
          </select>
        </label>
      </div>
      <LogTail name={trans.__('Log of %1, instance %2', service.name, instance)} read={read} />
    </>
  );
}
