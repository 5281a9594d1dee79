import { ellipsesIcon, refreshIcon } from '@jupyterlab/ui-components';
import { Menu } from '@lumino/widgets';
import type { Tone } from '@pilothouse/sdk/internal';
import { useRef } from 'react';
import { HelpButton, IconButton, LiveRegion, TextButton } from '../components/small.js';
import { Shape } from '../components/state-badge.js';
import { useApp } from '../hooks/context.js';
import type { LinkState } from '../session/link.js';
import { CommandIDs } from '../tokens.js';

/** How each state of the connection feels. */
const TONES: Readonly<Record<LinkState['state'], Tone>> = { connected: 'good', connecting: 'waiting', broken: 'bad' };

/** Top of the sidebar: how the connection stands, and the three things to begin with. */
export function Header({ link }: { readonly link: LinkState }): JSX.Element {
  const { commands, trans } = useApp();
  const bar = useRef<HTMLDivElement>(null);
  const words: Readonly<Record<LinkState['state'], string>> = {
    connected: trans.__('connected'),
    connecting: trans.__('connecting'),
    broken: trans.__('not connected'),
  };
  const run = (command: string) => () => void commands.execute(command);
  const more = (): void => {
    const menu = new Menu({ commands });
    menu.addItem({ command: CommandIDs.tryDemo });
    menu.addItem({ command: CommandIDs.copyDiagnosis });
    menu.addItem({ command: 'settingeditor:open', args: { query: 'Pilothouse' } });
    menu.addItem({ type: 'separator' });
    menu.addItem({ command: CommandIDs.help, args: { page: 'sidebar' } });
    const at = bar.current?.getBoundingClientRect();
    menu.open(at?.right ?? 0, at?.bottom ?? 0, { horizontalAlignment: 'right' });
  };
  const off = link.state !== 'connected';
  return (
    <header className="ph-Header">
      <div className="ph-Header-top" ref={bar}>
        <h2>Pilothouse</h2>
        <span className={`ph-Connection ph-mod-${link.state}`}>
          <Shape tone={TONES[link.state]} />
          {words[link.state]}
        </span>
        <IconButton icon={refreshIcon} name={trans.__('Connect again')} onClick={run(CommandIDs.reconnect)} />
        <HelpButton page="sidebar" />
        <IconButton icon={ellipsesIcon} name={trans.__('More')} onClick={more} />
      </div>
      <div className="ph-Header-actions">
        <TextButton accent disabled={off} onClick={run(CommandIDs.newPilot)}>
          {trans.__('New pilot')}
        </TextButton>
        <TextButton disabled={off} onClick={run(CommandIDs.startService)}>
          {trans.__('Start service')}
        </TextButton>
        <TextButton disabled={off} onClick={run(CommandIDs.attachService)}>
          {trans.__('Attach service')}
        </TextButton>
      </div>
      <LiveRegion text={trans.__('Pilothouse is %1', words[link.state])} />
    </header>
  );
}
