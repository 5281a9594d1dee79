import { closeIcon, codeIcon, stopIcon } from '@jupyterlab/ui-components';
import { engineWord, formatBytes, type PilotRecord, sentence } from '@pilothouse/sdk/internal';
import { fromData, problemLine } from '../format/problem.js';
import { isFinal } from '../format/state.js';
import { lostContact, spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { useNow } from '../hooks/live.js';
import { CommandIDs } from '../tokens.js';
import { Meter } from './meter.js';
import { PilotNotes } from './pilot-notes.js';
import { Row } from './row.js';
import { IconButton, LinkButton, LiveRegion, Since } from './small.js';
import { TimeLeft } from './time-left.js';

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

/** Why it is not further than it is, or why it failed, one line. */
export function WhyLine(props: {
  readonly kind: 'pilot' | 'service';
  readonly record: Pick<PilotRecord, 'id' | 'reason' | 'error' | 'contact'>;
}): JSX.Element | null {
  const { commands, trans } = useApp();
  const now = useNow(5000);
  const { kind, record } = props;
  const lost = lostContact(record, now, trans);
  if (record.error !== null) {
    const seen = lastLine(record.error.evidence);
    return (
      <p className="ph-Row-why ph-mod-bad">
        {problemLine(fromData(record.error))}
        {seen === null ? null : ` “${seen}”`}{' '}
        {kind === 'service' ? (
          <LinkButton
            onClick={() => void commands.execute(CommandIDs.openService, { kind, id: record.id, part: 'log' })}
          >
            {trans.__('log')}
          </LinkButton>
        ) : null}
      </p>
    );
  }
  if (lost === null && record.reason === null) return null;
  return (
    <p className="ph-Row-why">
      {lost === null ? null : <strong>{lost} </strong>}
      {record.reason === null ? null : (
        <>
          {sentence(record.reason.text)}{' '}
          <LinkButton onClick={() => void commands.execute(CommandIDs.explain, { kind, id: record.id })}>
            {trans.__('why?')}
          </LinkButton>
        </>
      )}
    </p>
  );
}

/** The last line of what was seen, which mostly names the cause. */
function lastLine(evidence: string | undefined): string | null {
  const line = evidence?.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? null : line.slice(0, 160);
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
