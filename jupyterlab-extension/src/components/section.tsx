import { type ReactNode, useEffect, useState } from 'react';
import { useApp } from '../hooks/context.js';

/** A part of the sidebar that opens and closes, and remembers which. */
export function Section(props: {
  readonly id: string;
  readonly title: string;
  readonly count: number;
  readonly children: ReactNode;
}): JSX.Element {
  const { memory } = useApp();
  const [open, setOpen] = useState(true);
  const key = `section:${props.id}`;
  useEffect(() => {
    let current = true;
    memory.read(key).then(
      (kept) => {
        if (current && typeof kept === 'boolean') setOpen(kept);
      },
      (error: unknown) => console.warn('Pilothouse could not read which sections were open.', error),
    );
    return () => {
      current = false;
    };
  }, [memory, key]);
  const panel = `ph-section-${props.id}`;
  return (
    <section className="ph-Section" aria-label={props.title}>
      <h3 className="ph-Section-title">
        <button
          type="button"
          aria-expanded={open}
          aria-controls={panel}
          onClick={() => {
            setOpen(!open);
            memory.write(key, !open);
          }}
        >
          <span className={open ? 'ph-Caret ph-mod-open' : 'ph-Caret'} aria-hidden="true" />
          {props.title}
          <span className="ph-Section-count">{props.count.toLocaleString()}</span>
        </button>
      </h3>
      <div id={panel} hidden={!open}>
        {props.children}
      </div>
    </section>
  );
}
