import { closeIcon, codeIcon, listIcon, stopIcon } from '@jupyterlab/ui-components';
import type { ServiceRecord } from '@pilothouse/sdk/internal';
import { useMemo } from 'react';
import { serviceSubject } from '../format/snippets.js';
import { isFinal } from '../format/state.js';
import { readiness, spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { scaleIcon } from '../icons.js';
import { CommandIDs } from '../tokens.js';
import { Row } from './row.js';
import { LoadingBars, ScaleWhy, ServiceLoad } from './service-load.js';
import { IconButton, LiveRegion, Since } from './small.js';
import { WhyLine } from './why-line.js';

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
  const { name, api, methods, model } = service;
  const subject = useMemo(() => serviceSubject({ name, api, methods, model }), [name, api, methods, model]);
  return (
    <Row
      kind="service"
      id={service.id}
      name={service.name}
      state={service.state}
      final={final}
      subject={subject}
      data={{ 'data-ph-origin': service.origin }}
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
            {attached ? null : (
              <IconButton
                icon={scaleIcon}
                name={trans.__('Scale %1', service.name)}
                onClick={run(CommandIDs.scaleService)}
              />
            )}
            <IconButton
              icon={stopIcon}
              name={attached ? trans.__('Let %1 go', service.name) : trans.__('Stop %1', service.name)}
              onClick={run(CommandIDs.stopService)}
            />
          </>
        )
      }
    >
      <WhyLine kind="service" record={service} readOnly={readOnly} />
      {final ? null : <ScaleWhy service={service} />}
      {final ? null : <LoadingBars service={service} />}
      <LiveRegion text={spoken(trans.__('service'), service.name, service.state, trans)} />
    </Row>
  );
}
