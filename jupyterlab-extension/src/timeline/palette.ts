/** Colours of the timeline as the page looks now. */
export interface TimelinePalette {
  readonly text: string;
  readonly quiet: string;
  readonly line: string;
  readonly lane: string;
  readonly background: string;
  readonly bad: string;
  readonly font: string;
  readonly groups: readonly string[];
}

// Told apart by people who see colours differently, in light and dark; what failed is hatched besides.
const LIGHT = ['#1f6fb2', '#b8631b', '#2e7d4f', '#8a4fa3', '#5d6b14', '#a8446f', '#1b7f86', '#6a5acd'];
const DARK = ['#7db8ec', '#f0a868', '#7ecb9b', '#cfa0e2', '#b9c76a', '#eb9dbd', '#74cfd6', '#aca4f4'];

/** Reads the theme where `node` stands. */
export function readTimelinePalette(node: Element): TimelinePalette {
  const style = getComputedStyle(node);
  const value = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  const dark = document.body.dataset.jpThemeLight === 'false';
  return {
    text: value('--jp-ui-font-color1', '#222'),
    quiet: value('--ph-quiet', '#555'),
    line: value('--jp-border-color2', '#ccc'),
    lane: value('--jp-layout-color2', '#eee'),
    background: value('--jp-layout-color1', '#fff'),
    bad: value('--ph-bad', '#d32f2f'),
    font: `${value('--jp-ui-font-size0', '11px')} ${value('--jp-ui-font-family', 'sans-serif')}`,
    groups: dark ? DARK : LIGHT,
  };
}

/** Colour of a group: the first eight differ, more begin again. */
export function groupColour(palette: TimelinePalette, groups: readonly string[], group: string | null): string {
  const index = Math.max(0, groups.indexOf(group ?? ''));
  return palette.groups[index % palette.groups.length] ?? palette.text;
}
