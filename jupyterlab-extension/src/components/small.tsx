import { Clipboard } from '@jupyterlab/apputils';
import type { LabIcon } from '@jupyterlab/ui-components';
import { shortId } from '@pilothouse/sdk/internal';
import { type ReactNode, useEffect, useState } from 'react';
import { exactTime, lasting, secondsSince } from '../format/time.js';
import { useApp } from '../hooks/context.js';
import { useNow } from '../hooks/live.js';
import { CommandIDs } from '../tokens.js';

/** A button that shows an icon only; its name is there for pointer and screen reader. */
export function IconButton(props: {
  readonly icon: LabIcon;
  readonly name: string;
  readonly onClick: () => void;
  readonly disabled?: boolean;
}): JSX.Element {
  return (
    <button
      type="button"
      className="ph-IconButton"
      title={props.name}
      aria-label={props.name}
      disabled={props.disabled ?? false}
      onClick={(event) => {
        event.stopPropagation();
        props.onClick();
      }}
    >
      <props.icon.react tag="span" elementSize="normal" aria-hidden="true" />
    </button>
  );
}

/** Opens the help on one panel or page. */
export function HelpButton({ page }: { readonly page: string }): JSX.Element {
  const { commands, trans } = useApp();
  const name = trans.__('Help on this panel');
  return (
    <button
      type="button"
      className="ph-IconButton ph-Help"
      title={name}
      aria-label={name}
      onClick={() => void commands.execute(CommandIDs.help, { page })}
    >
      ?
    </button>
  );
}

/** A button with a word on it. */
export function TextButton(props: {
  readonly children: ReactNode;
  readonly onClick: () => void;
  readonly accent?: boolean;
  readonly warn?: boolean;
  readonly disabled?: boolean;
  readonly title?: string;
}): JSX.Element {
  const kind = props.warn ? 'jp-mod-warn' : props.accent ? 'jp-mod-accept' : 'jp-mod-reject';
  return (
    <button
      type="button"
      className={`ph-Button jp-mod-styled ${kind}`}
      disabled={props.disabled ?? false}
      title={props.title}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

/** A button that looks like a link, for next steps inside a sentence. */
export function LinkButton(props: { readonly children: ReactNode; readonly onClick: () => void }): JSX.Element {
  return (
    <button type="button" className="ph-Link" onClick={props.onClick}>
      {props.children}
    </button>
  );
}

/** Copies a text and says so. */
export function CopyButton(props: {
  readonly text: string;
  readonly name: string;
  readonly label?: string;
}): JSX.Element {
  const { trans } = useApp();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className="ph-Copy"
      title={props.name}
      aria-label={copied ? trans.__('Copied') : props.name}
      onClick={(event) => {
        event.stopPropagation();
        Clipboard.copyToSystem(props.text);
        setCopied(true);
      }}
    >
      {copied ? trans.__('Copied') : (props.label ?? trans.__('Copy'))}
    </button>
  );
}

/** Six characters of an id; a click copies the whole one. */
export function ShortId({ id }: { readonly id: string }): JSX.Element {
  const { trans } = useApp();
  return <CopyButton text={id} label={shortId(id)} name={trans.__('Copy the id %1', id)} />;
}

/** How long something has gone on, or, with `ago`, how long it is over; the exact time on hover. */
export function Since({ time, ago = false }: { readonly time: string; readonly ago?: boolean }): JSX.Element {
  const { trans } = useApp();
  // Seconds count only while they are shown.
  const [young, setYoung] = useState(true);
  const now = useNow(young ? 1000 : 5000);
  const still = secondsSince(time, now) < 60;
  useEffect(() => setYoung(still), [still]);
  return (
    <time dateTime={time} title={exactTime(time)}>
      {ago ? trans.__('%1 ago', lasting(time, now)) : lasting(time, now)}
    </time>
  );
}

/** What a place says when there is nothing yet, and the next step. */
export function EmptyState(props: { readonly text: string; readonly children?: ReactNode }): JSX.Element {
  return (
    <div className="ph-Empty">
      <p>{props.text}</p>
      {props.children === undefined ? null : <p className="ph-Empty-next">{props.children}</p>}
    </div>
  );
}

/** Says a change of state to a screen reader, politely; silent for the first value. */
export function LiveRegion({ text }: { readonly text: string }): JSX.Element {
  const [first] = useState(text);
  const [spoken, setSpoken] = useState('');
  useEffect(() => {
    if (text !== first) setSpoken(text);
  }, [text, first]);
  return (
    <span className="ph-offscreen" role="status" aria-live="polite">
      {spoken}
    </span>
  );
}
