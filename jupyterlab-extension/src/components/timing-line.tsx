import { type AnswerRecord, formatMilliseconds } from '@pilothouse/sdk/internal';
import { useApp } from '../hooks/context.js';

interface Part {
  readonly name: string;
  readonly value: string;
}

/** The parts of the response time in one line; on request as a table. */
export function TimingLine({ answer }: { readonly answer: AnswerRecord }): JSX.Element | null {
  const { trans } = useApp();
  const { timing, usage } = answer;
  if (timing === null) return null;
  const ms = (value: number | null): string => (value === null ? trans.__('not reported') : formatMilliseconds(value));
  const parts: Part[] = [
    { name: trans.__('communication'), value: ms(timing.communication) },
    { name: trans.__('queue'), value: ms(timing.queue) },
    { name: trans.__('service'), value: ms(timing.service) },
    { name: trans.__('inference'), value: ms(timing.inference) },
  ];
  const others: Part[] = [
    { name: trans.__('first token'), value: ms(timing.ttft) },
    ...(timing.tokensPerSecond === null
      ? []
      : [{ name: trans.__('speed'), value: trans.__('%1 tokens/s', Number(timing.tokensPerSecond.toFixed(1))) }]),
    ...(usage === null
      ? []
      : [
          {
            name: trans.__('length'),
            value: trans._n('%1 token', '%1 tokens', usage.completionTokens),
          },
        ]),
  ];
  const rest: Part[] = [
    { name: trans.__('total'), value: ms(timing.total) },
    ...(timing.client === null ? [] : [{ name: trans.__('client'), value: ms(timing.client) }]),
    ...(timing.gaps === null
      ? []
      : [
          {
            name: trans.__('between tokens'),
            value: trans.__('%1 (p50), %2 (p99)', ms(timing.gaps.p50), ms(timing.gaps.p99)),
          },
        ]),
  ];
  return (
    <details className="ph-Timing">
      <summary aria-label={trans.__('Timing')}>
        <span className="ph-Timing-parts">
          {parts.map((part) => (
            <span key={part.name}>
              {part.name} <b>{part.value}</b>
            </span>
          ))}
        </span>
        <span className="ph-Timing-others">
          <span>
            {trans.__('first token')} <b>{ms(timing.ttft)}</b>
          </span>
          {others.slice(1).map((part) => (
            <b key={part.name}>{part.value}</b>
          ))}
        </span>
      </summary>
      <table className="ph-Table">
        <caption className="ph-offscreen">{trans.__('Timing of this answer')}</caption>
        <tbody>
          {[...rest, ...parts, ...others].map((part) => (
            <tr key={part.name}>
              <th scope="row">{part.name}</th>
              <td>{part.value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
