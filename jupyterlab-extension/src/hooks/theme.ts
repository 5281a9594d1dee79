import { useEffect, useState } from 'react';

/** Another number whenever the theme has changed: what is drawn on a canvas is then drawn anew. */
export function useTheme(): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const themes = new MutationObserver(() => setCount((old) => old + 1));
    themes.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name'] });
    return () => themes.disconnect();
  }, []);
  return count;
}
