import type { Figure, StateMark, Tone } from './words.js';

/**
 * Pieces of static HTML for saved notebooks. Colours of text are inherited and lines half transparent, so that it reads
 * on light and dark pages alike; only a state's shape has a colour of its own, chosen for at least 3:1 on both.
 */
export type Html = { readonly html: string };

const COLOURS: Readonly<Record<Tone, string>> = {
  good: '#2c8a4b',
  busy: '#3b7dd8',
  waiting: '#8a7a1f',
  over: '#7a7a7a',
  bad: '#d1453b',
};

const LINE = '1px solid rgba(128,128,128,.45)';

/** Text that cannot become markup. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Joins pieces; strings are escaped, pieces are taken as they are. */
export function html(strings: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  let out = strings[0] ?? '';
  values.forEach((value, index) => {
    out +=
      typeof value === 'string'
        ? escapeHtml(value)
        : 'html' in value
          ? value.html
          : value.map((piece) => piece.html).join('');
    out += strings[index + 1] ?? '';
  });
  return { html: out };
}

export const NOTHING: Html = { html: '' };

/** The frame of one view. */
export function frame(...parts: readonly Html[]): Html {
  return html`<div style="max-width:60em;line-height:1.5;margin:.25em 0">${parts}</div>`;
}

/** First line: shape, name, what it is, state. */
export function heading(mark: StateMark, name: string, details: readonly string[]): Html {
  const rest = [mark.word, ...details].join(' · ');
  return html`<div><span style="color:${COLOURS[mark.tone]}">${mark.shape}</span> <strong>${name}</strong> · ${rest}</div>`;
}

/** A line of text below the heading. */
export function line(text: string | null): Html {
  return text === null ? NOTHING : html`<div>${text}</div>`;
}

/** Text as it was written: line breaks kept, long lines wrapped. */
export function prose(text: string): Html {
  return html`<div style="white-space:pre-wrap;overflow-wrap:anywhere;margin:.5em 0">${text}</div>`;
}

/** A progress bar of plain boxes: notebooks' sanitisers leave them in, and a reader of screens hears the label. */
export function bar(fraction: number, tone: Tone, label: string): Html {
  const percent = (Math.min(1, Math.max(0, fraction)) * 100).toFixed(1);
  const track = 'height:.6em;border-radius:.3em;background:rgba(128,128,128,.3);overflow:hidden;margin:.35em 0';
  const fill = `height:100%;width:${percent}%;background:${COLOURS[tone]}`;
  return html`<div role="img" aria-label="${label}" style="${track}"><div style="${fill}"></div></div>`;
}

/** Output of a program. */
export function output(text: string): Html {
  return html`<pre style="white-space:pre-wrap;overflow-wrap:anywhere;margin:.5em 0">${text}</pre>`;
}

/** Figures side by side, labels above values. */
export function figures(caption: string, columns: readonly Figure[]): Html {
  const cell = `style="text-align:left;font-weight:normal;padding:.1em 1.2em .1em 0;border:0;border-top:${LINE}"`;
  const head = columns.map(({ label }) => html`<th scope="col" ${{ html: cell }}>${label}</th>`);
  const body = columns.map(({ text }) => html`<td ${{ html: cell }}>${text}</td>`);
  return html`<table aria-label="${caption}" style="border-collapse:collapse;margin:.25em 0;font-size:90%"><tr>${head}</tr><tr>${body}</tr></table>`;
}
