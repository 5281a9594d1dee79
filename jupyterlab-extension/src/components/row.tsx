import type { KeyboardEvent, ReactNode } from 'react';
import { useMemo } from 'react';
import { type Subject, subjectOf } from '../format/snippets.js';
import { stateWord } from '../format/state.js';
import { useApp } from '../hooks/context.js';
import { THINGS, type ThingKind } from '../things.js';
import { CommandIDs } from '../tokens.js';
import { StateShape } from './state-badge.js';
import { useCodeDrag } from './use-drag.js';

/** What every row of the sidebar can do: open, drag into a notebook, show its actions, be steered by keys. */
export function Row(props: {
  readonly kind: ThingKind;
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly final: boolean;
  /** What its code is about; default: what follows from its kind and name. */
  readonly subject?: Subject;
  /** Further facts that menus choose by. */
  readonly data?: Readonly<Record<`data-ph-${string}`, string>>;
  /** The facts, on a line of their own. */
  readonly summary: ReactNode;
  /** At the right end. */
  readonly end?: ReactNode;
  /** Shown on hover and focus. */
  readonly actions: ReactNode;
  /** Below the first line. */
  readonly children?: ReactNode;
}): JSX.Element {
  const { commands, trans } = useApp();
  const { kind, id, name } = props;
  const usual = useMemo<Subject>(() => subjectOf(kind, { id, name }), [kind, id, name]);
  const subject = props.subject ?? usual;
  const onPointerDown = useCodeDrag(subject);
  const end = THINGS[kind].end;
  const onKeyDown = (event: KeyboardEvent<HTMLLIElement>): void => {
    if (event.key === 'Delete') void commands.execute(props.final ? CommandIDs.hide : end, { kind, id });
    else if (event.key === 'ArrowDown') focusRow(event.currentTarget.nextElementSibling);
    else if (event.key === 'ArrowUp') focusRow(event.currentTarget.previousElementSibling);
    else return;
    event.preventDefault();
  };
  return (
    <li
      className={props.final ? 'ph-Row ph-mod-over' : 'ph-Row'}
      data-ph-kind={kind}
      data-ph-id={id}
      data-ph-final={props.final}
      {...props.data}
      onPointerDown={onPointerDown}
      onKeyDown={onKeyDown}
    >
      <div className="ph-Row-line">
        <StateShape kind={kind} state={props.state} />
        <button
          type="button"
          className="ph-Row-name"
          title={trans.__('Open the page of %1', name)}
          onClick={() => void commands.execute(THINGS[kind].open, THINGS[kind].openArgs(id))}
        >
          {name}
        </button>
        <span className="ph-Row-state">{stateWord(props.state)}</span>
        <span className="ph-Row-end">{props.end}</span>
        <span className="ph-Row-actions">{props.actions}</span>
      </div>
      <div className="ph-Row-summary">{props.summary}</div>
      {props.children}
    </li>
  );
}

function focusRow(row: Element | null): void {
  row?.querySelector<HTMLElement>('.ph-Row-name')?.focus();
}
