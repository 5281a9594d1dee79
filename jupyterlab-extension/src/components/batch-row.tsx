import { closeIcon, codeIcon, stopIcon } from '@jupyterlab/ui-components';
import type { BatchRecord } from '@pilothouse/sdk/internal';
import { isFinal } from '../format/state.js';
import { spoken } from '../format/summary.js';
import { useApp } from '../hooks/context.js';
import { CommandIDs } from '../tokens.js';
import { BatchBar, BatchNumbers } from './batch-bar.js';
import { Row } from './row.js';
import { IconButton, LiveRegion, Since } from './small.js';
import { WhyLine } from './why-line.js';

/** A batch in the sidebar and on the page of its service. */
export function BatchRow({ batch }: { readonly batch: BatchRecord }): JSX.Element {
  const { commands, trans } = useApp();
  const final = isFinal('batch', batch.state);
  const args = { kind: 'batch', id: batch.id };
  const run = (command: string) => () => void commands.execute(command, args);
  return (
    <Row
      kind="batch"
      id={batch.id}
      name={batch.name}
      state={batch.state}
      final={final}
      summary={
        <>
          <BatchBar batch={batch} />
          <BatchNumbers batch={batch} />
          <span title={trans.__('The service that answers')}>{batch.service.name}</span>
        </>
      }
      end={<Since time={batch.since} ago={final} />}
      actions={
        <>
          <IconButton
            icon={codeIcon}
            name={trans.__('Insert %1 into notebook', batch.name)}
            onClick={run(CommandIDs.insert)}
          />
          {final ? (
            <IconButton icon={closeIcon} name={trans.__('Hide %1', batch.name)} onClick={run(CommandIDs.hide)} />
          ) : (
            <IconButton
              icon={stopIcon}
              name={trans.__('Cancel %1', batch.name)}
              onClick={run(CommandIDs.cancelBatch)}
            />
          )}
        </>
      }
    >
      <WhyLine kind="batch" record={batch} />
      <LiveRegion text={spoken(trans.__('batch'), batch.name, batch.state, trans)} />
    </Row>
  );
}
