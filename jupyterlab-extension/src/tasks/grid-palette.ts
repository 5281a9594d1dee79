import type { Tone } from '@pilothouse/sdk/internal';

/** Colours and fonts of the page as it looks now: a canvas takes none from style sheets. */
export interface GridPalette {
  readonly text: string;
  readonly quiet: string;
  readonly background: string;
  readonly group: string;
  readonly line: string;
  readonly chosen: string;
  readonly cursor: string;
  readonly font: string;
  readonly bold: string;
  readonly tones: Readonly<Record<Tone, string>>;
}

/** Reads the theme where `node` stands. */
export function readGridPalette(node: Element): GridPalette {
  const style = getComputedStyle(node);
  const value = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  const family = value('--jp-ui-font-family', 'sans-serif');
  const size = value('--jp-ui-font-size1', '13px');
  const quiet = value('--ph-quiet', '#555');
  return {
    text: value('--jp-ui-font-color1', '#222'),
    quiet,
    background: value('--jp-layout-color1', '#fff'),
    group: value('--jp-layout-color2', '#eee'),
    line: value('--jp-border-color3', '#ddd'),
    chosen: value('--ph-chosen', 'rgba(25, 118, 210, 0.16)'),
    cursor: value('--jp-brand-color1', '#1976d2'),
    font: `${size} ${family}`,
    bold: `600 ${size} ${family}`,
    tones: {
      good: value('--ph-good', '#388e3c'),
      busy: value('--ph-busy', '#1976d2'),
      bad: value('--ph-bad', '#d32f2f'),
      waiting: quiet,
      over: quiet,
    },
  };
}
