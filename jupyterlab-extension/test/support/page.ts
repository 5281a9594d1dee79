import { configure } from '@testing-library/dom';

/** What JupyterLab's packages expect of a page and jsdom lacks. */
class DragEventStub extends MouseEvent {}
Object.defineProperty(globalThis, 'DragEvent', { value: globalThis.DragEvent ?? DragEventStub });
Object.defineProperty(globalThis, 'matchMedia', {
  value: () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }),
});
Object.defineProperty(globalThis, 'requestIdleCallback', {
  value: (run: () => void) => setTimeout(run, 0),
  writable: true,
});
// A machine with much else to do takes longer than the second that is waited for by itself.
configure({ asyncUtilTimeout: 15_000 });
