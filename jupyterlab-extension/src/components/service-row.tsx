import { closeIcon, codeIcon, listIcon, stopIcon } from '@jupyterlab/ui-components';
import { formatMilliseconds, type ServiceRecord } from '@pilothouse/sdk/internal';
import { isFinal } from '../format/state.js';
import { readiness, spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { CommandIDs } from '../tokens.js';
import { Sparkline } from './meter.js';
import { WhyLine } from './pilot-row.js';
import { Row } from './row.js';
import { IconButton, LiveRegion, Since } from './small.js';

/** How busy the service is: median time of the last answers, and what waits. */
export function ServiceLoad({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { trans } = useApp();
  const { load } = service;
  return (
    <>
      {load.p50 === null ? null : (
        <span title={trans.__('Median time of the last answers')}>
          {trans.__('%1 an answer', formatMilliseconds(load.p50))}
        </span>
      )}
      <Sparkline values={load.recent} />
      {load.outstanding > 0 ? <span>{trans.__('%1 answering', load.outstanding)}</span> : null}
      <span>{trans.__('%1 waiting', load.queued)}</span>
    </>
  );
}

/** A service in the sidebar. */
export function ServiceRow(props: {
  readonly service: ServiceRecord;
  /** Without actions, for untrusted notebooks. */
  readonly readOnly?: boolean;
}): JSX.Element {
  const { service, readOnly = false } = props;
  const { commands, trans } = useApp();
  const final = isFinal('service', service.state);
  const args = { kind: 'service', id: service.id };
  const run = (command: string, extra: object = {}) => {
    return () => void commands.execute(command, { ...args, ...extra });
  };
  const attached = service.origin === 'attached';
  return (
    <Row
      kind="service"
      id={service.id}
      name={service.name}
      state={service.state}
      final={final}
      summary={
        <>
          <span>{service.api}</span>
          {final ? null : <span>{readiness(service, trans)}</span>}
          {service.state === 'READY' || service.state === 'DEGRADED' ? <ServiceLoad service={service} /> : null}
          {attached ? <span title={service.url ?? ''}>{trans.__('attached')}</span> : null}
          {service.openToNode && !final ? (
            <span className="ph-Warn">{trans.__('open to users of this node')}</span>
          ) : null}
        </>
      }
      end={final || service.state === 'STARTING' ? <Since time={service.since} ago={final} /> : null}
      actions={
        readOnly ? null : final ? (
          <IconButton icon={closeIcon} name={trans.__('Hide %1', service.name)} onClick={run(CommandIDs.hide)} />
        ) : (
          <>
            {attached ? null : (
              <IconButton
                icon={listIcon}
                name={trans.__('Open the log of %1', service.name)}
                onClick={run(CommandIDs.openService, { part: 'log' })}
              />
            )}
            <IconButton
              icon={codeIcon}
              name={trans.__('Insert %1 into notebook', service.name)}
              onClick={run(CommandIDs.insert)}
            />
            <IconButton
              icon={stopIcon}
              name={trans.__('Stop %1', service.name)}
              onClick={run(CommandIDs.stopService)}
            />
          </>
        )
      }
    >
      <WhyLine kind="service" record={service} />
      <LiveRegion text={spoken(trans.__('service'), service.name, service.state, trans)} />
    </Row>
  );
}
