import { LabIcon } from '@jupyterlab/ui-components';

/** A ship's wheel: the mark of Pilothouse. */
export const helmIcon = new LabIcon({
  name: 'pilothouse:helm',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3 jp-icon-selectable" stroke="#616161" stroke-width="2" stroke-linecap="round" style="fill:none">
    <circle cx="12" cy="12" r="6.6"/><circle cx="12" cy="12" r="2.1"/>
    <path d="M12 1.8v8M12 14.2v8M1.8 12h8M14.2 12h8M4.8 4.8l5.7 5.7M13.5 13.5l5.7 5.7M19.2 4.8l-5.7 5.7M10.5 13.5l-5.7 5.7"/>
  </g>
</svg>`,
});

/** One becomes several: another number of instances. */
export const scaleIcon = new LabIcon({
  name: 'pilothouse:scale',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" stroke="#616161" stroke-width="2" style="fill:none">
    <rect x="3" y="11" width="10" height="10" rx="1.5"/><path d="M7.5 7.5h9v9M12 3.5h8.5V12"/>
  </g>
</svg>`,
});
