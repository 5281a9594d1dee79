import {
  formatMilliseconds,
  formatSeconds,
  type InstanceRecord,
  PROBE_ROLES,
  type ProbeResult,
  type ServiceRecord,
  sentence,
} from '@pilothouse/sdk/internal';
import { LoadingBar } from '../components/service-load.js';
import { LinkButton, Since } from '../components/small.js';
import { StateBadge } from '../components/state-badge.js';
import { fromData, problemLine } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { exactTime, secondsUntil } from '../format/time.js';
import { useApp } from '../hooks/context.js';
import { useNow } from '../hooks/live.js';
import { CommandIDs } from '../tokens.js';

/** The running copies of a service: state, probes, load, how starting went, and what can be done with each. */
export function InstanceTable({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { trans } = useApp();
  const launched = service.origin === 'launched' && !isFinal('service', service.state);
  return (
    <div className="ph-TableScroll">
      <table className="ph-Table ph-Instances ph-mod-wide">
        <caption className="ph-offscreen">{trans.__('Instances of %1', service.name)}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Instance')}</th>
            <th scope="col">{trans.__('State')}</th>
            <th scope="col">{trans.__('Probe')}</th>
            <th scope="col">{trans.__('Load')}</th>
            <th scope="col" title={trans.__('Bootstrap time = launch + init + publish')}>
              {trans.__('Bootstrap')}
            </th>
            {launched ? <th scope="col">{trans.__('Actions')}</th> : null}
          </tr>
        </thead>
        <tbody>
          {service.instances.map((instance) => (
            <InstanceRows key={instance.id} service={service} instance={instance} launched={launched} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function InstanceRows(props: {
  readonly service: ServiceRecord;
  readonly instance: InstanceRecord;
  readonly launched: boolean;
}): JSX.Element {
  const { trans } = useApp();
  const { service, instance, launched } = props;
  const { error, reason, progress } = instance;
  const over = isFinal('instance', instance.state);
  const why = error !== null ? problemLine(fromData(error)) : reason === null ? null : sentence(reason.text);
  const loading = instance.state === 'INITIALIZING' ? progress : null;
  return (
    <>
      <tr>
        <th scope="row">
          {trans.__('instance %1', instance.index)}
          {instance.attempt > 1 ? ` · ${trans.__('start %1', instance.attempt)}` : null}
        </th>
        <td>
          <StateBadge kind="instance" state={instance.state} /> <Since time={instance.since} ago={over} />
          {instance.draining && !over ? <span className="ph-Warn"> {trans.__('draining')}</span> : null}
        </td>
        <td>
          <Probes instance={instance} />
        </td>
        <td>
          <Load instance={instance} />
        </td>
        <td>
          <Bootstrap instance={instance} />
        </td>
        {launched ? (
          <td>
            <InstanceActions service={service} instance={instance} />
          </td>
        ) : null}
      </tr>
      {why === null && instance.stderrTail === null && loading === null ? null : (
        <tr className="ph-Table-note">
          <td colSpan={launched ? 6 : 5}>
            {loading === null ? null : (
              <LoadingBar
                name={trans.__('Loading of instance %1', instance.index)}
                text={loading.text}
                share={loading.share}
              />
            )}
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

/** The latest look of each kind; where an instance tells only one, that one. */
function Probes({ instance }: { readonly instance: InstanceRecord }): JSX.Element {
  const { trans } = useApp();
  const { probe, probes } = instance;
  const roles = PROBE_ROLES.flatMap((role) => {
    const result = probes[role];
    return result === undefined ? [] : [{ role, result }];
  });
  const words = { startup: trans.__('startup'), readiness: trans.__('readiness'), liveness: trans.__('liveness') };
  if (roles.length === 0) return <>{probe === null ? trans.__('not yet probed') : <ProbeText result={probe} />}</>;
  return (
    <ul className="ph-Probes">
      {roles.map(({ role, result }) => (
        <li key={role}>
          {words[role]} <ProbeText result={result} />
        </li>
      ))}
    </ul>
  );
}

function ProbeText({ result }: { readonly result: ProbeResult }): JSX.Element {
  const { trans } = useApp();
  return (
    <span className={result.ok ? 'ph-Good' : 'ph-Bad'} title={`${exactTime(result.at)} · ${result.text}`}>
      {result.ok ? trans.__('passed in %1', formatMilliseconds(result.latency)) : trans.__('failed: %1', result.text)}
    </span>
  );
}

/** Requests there, how long they take, and whether and why it is left out for a while. */
function Load({ instance }: { readonly instance: InstanceRecord }): JSX.Element {
  const { trans } = useApp();
  const now = useNow();
  const { load } = instance;
  if (load === null || isFinal('instance', instance.state)) return <>{trans.__('none')}</>;
  const left = load.ejectedUntil === null ? 0 : secondsUntil(load.ejectedUntil, now);
  return (
    <>
      {trans.__('%1 answering', load.outstanding)}
      {load.p50 === null ? null : ` · ${trans.__('%1 an answer', formatMilliseconds(load.p50))}`}
      {left > 0 && load.ejectedUntil !== null ? (
        <span className="ph-Warn" title={exactTime(load.ejectedUntil)}>
          {' '}
          {trans.__('left out for %1', formatSeconds(left))}
          {load.why === null ? null : `: ${load.why}`}
        </span>
      ) : null}
    </>
  );
}

function InstanceActions(props: {
  readonly service: ServiceRecord;
  readonly instance: InstanceRecord;
}): JSX.Element | null {
  const { commands, trans } = useApp();
  const { service, instance } = props;
  const args = { kind: 'service', id: service.id, instance: instance.index };
  if (isFinal('instance', instance.state) || instance.state === 'STOPPING') return null;
  return (
    <span className="ph-InstanceActions">
      <LinkButton onClick={() => void commands.execute(CommandIDs.restartService, args)}>
        {trans.__('Restart')}
      </LinkButton>{' '}
      {instance.draining ? null : (
        <LinkButton onClick={() => void commands.execute(CommandIDs.drainService, args)}>
          {trans.__('Drain')}
        </LinkButton>
      )}
    </span>
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
