import { closeIcon, codeIcon, stopIcon } from '@jupyterlab/ui-components';
import { engineWord, formatBytes, type PilotRecord } from '@pilothouse/sdk/internal';
import { isFinal } from '../format/state.js';
import { spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { CommandIDs } from '../tokens.js';
import { Meter } from './meter.js';
import { PilotNotes } from './pilot-notes.js';
import { Row } from './row.js';
import { IconButton, LiveRegion, Since } from './small.js';
import { TimeLeft } from './time-left.js';
import { WhyLine } from './why-line.js';

/** How much of the pilot is in use. */
export function PilotMeters({ pilot }: { readonly pilot: PilotRecord }): JSX.Element {
  const { trans } = useApp();
  const { resources, usage } = pilot;
  return (
    <>
      <Meter label={trans.__('cores')} used={usage.cores} total={resources.cores} />
      {resources.gpus > 0 ? <Meter label={trans.__('GPUs')} used={usage.gpus} total={resources.gpus} /> : null}
      {resources.memory === null ? null : (
        <Meter label={trans.__('memory')} used={usage.memory} total={resources.memory} format={formatBytes} />
      )}
      <span className="ph-Meters-text">
        {trans.__('%1 running', usage.running)}
        {usage.waiting > 0 ? ` · ${trans.__('%1 waiting', usage.waiting)}` : null}
      </span>
    </>
  );
}

/** A pilot in the sidebar. */
export function PilotRow(props: {
  readonly pilot: PilotRecord;
  /** Without actions, for untrusted notebooks. */
  readonly readOnly?: boolean;
}): JSX.Element {
  const { pilot, readOnly = false } = props;
  const { commands, trans } = useApp();
  const final = isFinal('pilot', pilot.state);
  const args = { kind: 'pilot', id: pilot.id };
  const run = (command: string) => () => void commands.execute(command, args);
  return (
    <Row
      kind="pilot"
      id={pilot.id}
      name={pilot.name}
      state={pilot.state}
      final={final}
      summary={
        <>
          <span>{engineWord(pilot.engine)}</span>
          {pilot.state === 'ACTIVE' || pilot.state === 'DRAINING' ? <PilotMeters pilot={pilot} /> : null}
        </>
      }
      end={pilot.state === 'ACTIVE' ? <TimeLeft pilot={pilot} /> : <Since time={pilot.since} ago={final} />}
      actions={
        readOnly ? null : final ? (
          <IconButton icon={closeIcon} name={trans.__('Hide %1', pilot.name)} onClick={run(CommandIDs.hide)} />
        ) : (
          <>
            <IconButton
              icon={codeIcon}
              name={trans.__('Insert %1 into notebook', pilot.name)}
              onClick={run(CommandIDs.insert)}
            />
            <IconButton icon={stopIcon} name={trans.__('End %1', pilot.name)} onClick={run(CommandIDs.endPilot)} />
          </>
        )
      }
    >
      <WhyLine kind="pilot" record={pilot} />
      <PilotNotes pilot={pilot} readOnly={readOnly} small />
      <LiveRegion text={spoken(trans.__('pilot'), pilot.name, pilot.state, trans)} />
    </Row>
  );
}
