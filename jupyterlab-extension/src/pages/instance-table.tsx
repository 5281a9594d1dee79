import { formatMilliseconds, type InstanceRecord, type ServiceRecord, sentence } from '@pilothouse/sdk/internal';
import { CopyButton, Since } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { fromData, problemLine } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { exactTime } from '../format/time.js';
import { useApp } from '../hooks/context.js';

/** The running copies of a service: state, probe, how starting went, where they listen. */
export function InstanceTable({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { trans } = useApp();
  return (
    <table className="ph-Table ph-Instances ph-mod-wide">
      <caption className="ph-offscreen">{trans.__('Instances of %1', service.name)}</caption>
      <thead>
        <tr>
          <th scope="col">{trans.__('Instance')}</th>
          <th scope="col">{trans.__('State')}</th>
          <th scope="col">{trans.__('Probe')}</th>
          <th scope="col" title={trans.__('Bootstrap time = launch + init + publish')}>
            {trans.__('Bootstrap')}
          </th>
          <th scope="col">{trans.__('Endpoint')}</th>
        </tr>
      </thead>
      <tbody>
        {service.instances.map((instance) => (
          <InstanceRows key={instance.id} instance={instance} />
        ))}
      </tbody>
    </table>
  );
}

function InstanceRows({ instance }: { readonly instance: InstanceRecord }): JSX.Element {
  const { trans } = useApp();
  const { probe, endpoint, error, reason } = instance;
  const why = error !== null ? problemLine(fromData(error)) : reason === null ? null : sentence(reason.text);
  return (
    <>
      <tr>
        <th scope="row">
          {trans.__('instance %1', instance.index)}
          {instance.attempt > 1 ? ` · ${trans.__('start %1', instance.attempt)}` : null}
        </th>
        <td>
          <StateBadge kind="instance" state={instance.state} /> <Since time={instance.since} />
        </td>
        <td title={probe === null ? '' : exactTime(probe.at)}>
          {probe === null
            ? trans.__('not yet probed')
            : probe.ok
              ? trans.__('passed in %1', formatMilliseconds(probe.latency))
              : trans.__('failed: %1', probe.text)}
        </td>
        <td>
          <Bootstrap instance={instance} />
        </td>
        <td>
          {endpoint === null || isFinal('instance', instance.state) ? (
            trans.__('none')
          ) : (
            <>
              <code>{endpoint.http}</code> <CopyButton text={endpoint.http} name={trans.__('Copy the endpoint')} />{' '}
              <span>{endpoint.keyFile === null ? trans.__('no key') : trans.__('asks for a key')}</span>
            </>
          )}
        </td>
      </tr>
      {why === null && instance.stderrTail === null ? null : (
        <tr className="ph-Table-note">
          <td colSpan={5}>
            {why}
            {instance.stderrTail === null ? null : (
              <details>
                <summary>{trans.__('Last lines of stderr')}</summary>
                <pre>{instance.stderrTail}</pre>
              </details>
            )}
          </td>
        </tr>
      )}
    </>
  );
}

/** How long starting took, in its three parts. */
export function Bootstrap({ instance }: { readonly instance: InstanceRecord }): JSX.Element {
  const { trans } = useApp();
  const { bootstrap } = instance;
  if (bootstrap === null) return <>{trans.__('not yet known')}</>;
  const { launch, init, publish } = bootstrap;
  const parts = [
    { name: trans.__('launch'), value: launch },
    { name: trans.__('init'), value: init },
    { name: trans.__('publish'), value: publish },
  ];
  return (
    <span className="ph-Bootstrap">
      <b>{formatMilliseconds(launch + init + publish)}</b>{' '}
      {parts.map(({ name, value }) => (
        <span key={name}>
          {name} {formatMilliseconds(value)}
        </span>
      ))}
    </span>
  );
}
