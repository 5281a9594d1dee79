import type { TranslationBundle } from '@jupyterlab/translation';
import { formatBytes, formatSeconds, type TaskDescription, type TaskUsage, toBytes } from '@pilothouse/sdk/internal';
import { useApp } from '../hooks/context.js';
import type { Fact } from './description.js';
import { Facts } from './facts.js';

/** What a task has used, beside what it had asked for. */
export function UsageTable(props: { readonly usage: TaskUsage; readonly description: TaskDescription }): JSX.Element {
  const { trans } = useApp();
  return <Facts name={trans.__('What it has used')} facts={usageFacts(props.usage, props.description, trans)} />;
}

/** Usage in words; what was not measured is left out. */
export function usageFacts(usage: TaskUsage, description: TaskDescription, trans: TranslationBundle): Fact[] {
  const cores = description.cores ?? 1;
  const share = usage.wall > 0 && cores > 0 ? usage.cpu / (usage.wall * cores) : null;
  const percent = (value: number): string => `${Math.round(value * 100)} %`;
  const asked = description.memory === undefined ? null : toBytes(description.memory);
  return [
    { name: trans.__('Time'), value: precise(usage.wall) },
    {
      name: trans.__('CPU time'),
      value:
        share === null
          ? precise(usage.cpu)
          : trans._n('%2, %3 of its core', '%2, %3 of its %1 cores', cores, precise(usage.cpu), percent(share)),
    },
    {
      name: trans.__('Memory'),
      value:
        asked === null
          ? formatBytes(usage.maxRss)
          : trans.__('%1 of %2', formatBytes(usage.maxRss), formatBytes(asked)),
    },
    { name: trans.__('Read'), value: formatBytes(usage.read) },
    { name: trans.__('Written'), value: formatBytes(usage.written) },
    ...(usage.gpuUtil === null ? [] : [{ name: trans.__('GPUs busy'), value: percent(usage.gpuUtil) }]),
    ...(usage.gpuMemoryPeak === null
      ? []
      : [{ name: trans.__('GPU memory'), value: formatBytes(usage.gpuMemoryPeak) }]),
  ];
}

function precise(seconds: number): string {
  return seconds < 10 ? `${Number(seconds.toFixed(2))} s` : formatSeconds(seconds);
}
