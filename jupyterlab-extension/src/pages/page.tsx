import type { ReactNode } from 'react';
import { EmptyState, LinkButton } from '../components/small.js';
import { useApp } from '../hooks/context.js';
import { useLive } from '../hooks/live.js';
import { NotConnected } from '../panels/not-connected.js';
import { CommandIDs } from '../tokens.js';

/** What a page shows while its thing is not known: it connects, it is not connected, or it is gone. */
export function Missing(props: { readonly what: string }): JSX.Element {
  const { commands, link, trans } = useApp();
  const state = useLive(link.value$, link.value);
  if (state.state === 'broken' && state.error !== null) return <NotConnected error={state.error} />;
  if (state.state === 'connecting') return <EmptyState text={trans.__('Connecting to Pilothouse …')} />;
  return (
    <EmptyState
      text={trans.__('Pilothouse no longer knows this %1: it ended and was taken off the lists.', props.what)}
    >
      <LinkButton onClick={() => void commands.execute(CommandIDs.open)}>{trans.__('Open the sidebar')}</LinkButton>
    </EmptyState>
  );
}

/** One headed part of a page. */
export function Part(props: {
  readonly title: string;
  readonly id?: string;
  readonly children: ReactNode;
}): JSX.Element {
  return (
    <section className="ph-Part" aria-label={props.title} id={props.id}>
      <h3>{props.title}</h3>
      {props.children}
    </section>
  );
}
