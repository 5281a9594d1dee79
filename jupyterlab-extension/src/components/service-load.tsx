import { formatMilliseconds, type ServiceRecord } from '@pilothouse/sdk/internal';
import { perSecond } from '../format/set.js';
import { useApp } from '../hooks/context.js';
import { Sparkline } from './meter.js';

/** How busy the service is: median time of the last answers, how many come, and what waits. */
export function ServiceLoad({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { trans } = useApp();
  const { load } = service;
  return (
    <>
      {load.p50 === null ? null : (
        <span title={trans.__('Median time of the last answers; the line shows them one by one')}>
          {trans.__('%1 an answer', formatMilliseconds(load.p50))} <Sparkline values={load.recent} />
        </span>
      )}
      {load.perSecond > 0 ? (
        <span title={trans.__('Requests ended over the last minute')}>{perSecond(load.perSecond, trans)}</span>
      ) : null}
      {load.outstanding > 0 ? <span>{trans.__('%1 answering', load.outstanding)}</span> : null}
      <span>{trans.__('%1 waiting', load.queued)}</span>
      {load.failed > 0 ? (
        <span className="ph-Bad" title={trans.__('Over the last minute')}>
          {trans._n('%1 failed', '%1 failed', load.failed)}
        </span>
      ) : null}
    </>
  );
}

/** Why there are as many instances as there are; nothing until it has scaled. */
export function ScaleWhy({ service }: { readonly service: ServiceRecord }): JSX.Element | null {
  const { trans } = useApp();
  const { scale } = service;
  if (scale === null || scale.why === null) return null;
  return (
    <p
      className="ph-Row-why"
      title={trans.__('Between %1 and %2 instances, by what there is to do', scale.min, scale.max)}
    >
      {trans.__('scaled %1', scale.why)}
    </p>
  );
}

/** How far the instances have loaded, where they say so while they start. */
export function LoadingBars({ service }: { readonly service: ServiceRecord }): JSX.Element | null {
  const { trans } = useApp();
  const loading = service.instances.filter(({ state, progress }) => state === 'INITIALIZING' && progress !== null);
  if (loading.length === 0) return null;
  return (
    <>
      {loading.slice(0, 3).map((instance) => (
        <LoadingBar
          key={instance.id}
          name={trans.__('Loading of instance %1', instance.index)}
          text={instance.progress?.text ?? ''}
          share={instance.progress?.share ?? null}
        />
      ))}
      {loading.length > 3 ? <p className="ph-Row-why">{trans.__('%1 more are loading', loading.length - 3)}</p> : null}
    </>
  );
}

/** A bar with what is being done; without a share it only says that something is. */
export function LoadingBar(props: {
  readonly name: string;
  readonly text: string;
  readonly share: number | null;
}): JSX.Element {
  const { name, text, share } = props;
  const percent = share === null ? null : Math.round(100 * Math.min(1, Math.max(0, share)));
  return (
    <div className="ph-Loading">
      <span
        className="ph-SetBar"
        role="progressbar"
        aria-label={name}
        aria-valuemin={0}
        aria-valuemax={100}
        {...(percent === null ? {} : { 'aria-valuenow': percent })}
        aria-valuetext={percent === null ? text : `${percent} % · ${text}`}
      >
        <span
          className={percent === null ? 'ph-mod-busy ph-mod-unknown' : 'ph-mod-busy'}
          style={{ width: `${percent ?? 100}%` }}
        />
      </span>
      <span className="ph-Loading-text" title={text}>
        {percent === null ? null : `${percent} % `}
        {text}
      </span>
    </div>
  );
}
