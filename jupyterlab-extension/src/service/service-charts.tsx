import { formatMilliseconds, type ServiceRecord, type ServiceStatistics } from '@pilothouse/sdk/internal';
import { useMemo, useState } from 'react';
import { ProblemNote } from '../components/problem-note.js';
import { EmptyState, LinkButton } from '../components/small.js';
import { clockTime } from '../format/time.js';
import { useApp } from '../hooks/context.js';
import { Chart } from './chart.js';
import { chartData, hasRequests, PARTS } from './chart-data.js';
import { useStatistics } from './use-statistics.js';

/** Spans of time that can be looked at: seconds of a bucket, 60 of them. */
const SPANS = [2, 10, 60] as const;

/** Requests over time: how many, how long, where the time went, what waited. */
export function ServiceCharts({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { trans } = useApp();
  const [step, setStep] = useState<(typeof SPANS)[number]>(2);
  const [asTable, setAsTable] = useState(false);
  const { statistics, problem } = useStatistics(service, step);
  const data = useMemo(() => (statistics === null ? null : chartData(statistics)), [statistics]);
  const spans = { 2: trans.__('2 minutes'), 10: trans.__('10 minutes'), 60: trans.__('1 hour') };
  const names = {
    ended: trans.__('ended'),
    failed: trans.__('failed'),
    p50: trans.__('median'),
    p99: trans.__('99th percentile'),
    communication: trans.__('communication'),
    queue: trans.__('queue'),
    service: trans.__('service'),
    inference: trans.__('inference'),
    queued: trans.__('waiting'),
  };
  return (
    <>
      <div className="ph-Charts-choice">
        <label>
          {trans.__('The last')}{' '}
          <select
            className="jp-mod-styled"
            value={step}
            onChange={(event) => setStep(SPANS.find((one) => String(one) === event.target.value) ?? 2)}
          >
            {SPANS.map((one) => (
              <option key={one} value={one}>
                {spans[one]}
              </option>
            ))}
          </select>
        </label>
        <LinkButton onClick={() => setAsTable(!asTable)}>
          {asTable ? trans.__('Show as charts') : trans.__('Show as a table')}
        </LinkButton>
      </div>
      {problem === null ? null : <ProblemNote problem={problem} />}
      {statistics === null || data === null ? null : !hasRequests(statistics) ? (
        <EmptyState
          text={trans.__('Nothing was asked in the last %1. Ask it in the box above, or from a notebook.', spans[step])}
        />
      ) : asTable ? (
        <StatisticsTable statistics={statistics} />
      ) : (
        <div className="ph-Charts">
          <Chart
            title={trans.__('Requests a second')}
            times={data.times}
            lines={data.rate}
            names={names}
            format={(value) => String(Number(value.toFixed(value < 10 ? 1 : 0)))}
          />
          <Chart
            title={trans.__('Response time')}
            times={data.times}
            lines={data.latency}
            names={names}
            format={formatMilliseconds}
            points
            colour={2}
          />
          <Chart
            title={trans.__('Parts of the response time')}
            times={data.times}
            lines={data.parts}
            names={names}
            format={formatMilliseconds}
            stack
          />
          <Chart
            title={trans.__('Requests waiting')}
            times={data.times}
            lines={data.queue}
            names={names}
            format={(value) => (Number.isInteger(value) ? String(value) : '')}
            colour={5}
          />
        </div>
      )}
    </>
  );
}

/** The same in words and numbers, newest first; times without requests are left out. */
function StatisticsTable({ statistics }: { readonly statistics: ServiceStatistics }): JSX.Element {
  const { trans } = useApp();
  const ms = (value: number | null): string => (value === null ? '–' : formatMilliseconds(value));
  const rows = statistics.buckets.filter(({ count, queued }) => count > 0 || queued > 0).reverse();
  return (
    <div className="ph-TableScroll">
      <table className="ph-Table">
        <caption className="ph-offscreen">{trans.__('Requests over time')}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('From')}</th>
            <th scope="col">{trans.__('Ended')}</th>
            <th scope="col">{trans.__('Failed')}</th>
            <th scope="col">{trans.__('Median')}</th>
            <th scope="col">{trans.__('99th percentile')}</th>
            {PARTS.map((part) => (
              <th scope="col" key={part}>
                {part}
              </th>
            ))}
            <th scope="col">{trans.__('Waiting')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.at}>
              <th scope="row">{clockTime(row.at, true)}</th>
              <td>{row.count}</td>
              <td>{row.failed}</td>
              <td>{ms(row.p50)}</td>
              <td>{ms(row.p99)}</td>
              {PARTS.map((part) => (
                <td key={part}>{ms(row.count === 0 ? null : row[part])}</td>
              ))}
              <td>{row.queued}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
