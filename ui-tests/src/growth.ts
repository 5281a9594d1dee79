import type { Locator } from '@playwright/test';

/**
 * Notes, inside the page, how long an answer's text was while it streamed: a fast model may be done before a test has
 * looked twice.
 * @returns a function that gives the lengths seen so far, each once, in order
 */
export async function noteGrowth(within: Locator): Promise<() => Promise<number[]>> {
  await within.evaluate((node) => {
    const seen: number[] = [];
    const note = () => {
      const answer = node.querySelector('[aria-busy="true"][aria-label^="Answer of"]');
      const length = answer?.querySelector('pre, .jp-RenderedMarkdown')?.textContent?.length ?? 0;
      if (length > 0 && length !== seen.at(-1)) {
        seen.push(length);
        node.setAttribute('data-growth', JSON.stringify(seen));
      }
    };
    new MutationObserver(note).observe(node, { subtree: true, childList: true, characterData: true });
  });
  return async () => {
    const noted: unknown = JSON.parse((await within.getAttribute('data-growth')) ?? '[]');
    return Array.isArray(noted) ? noted.map(Number) : [];
  };
}
