import type { RemoteException } from '@pilothouse/sdk/internal';
import { CopyButton } from '../components/small.js';
import { useApp } from '../hooks/context.js';

/** What a function raised, with where it came from. */
export function Exception({ exception }: { readonly exception: RemoteException }): JSX.Element {
  const { trans } = useApp();
  return (
    <section className="ph-Exception" aria-label={trans.__('Exception')}>
      <p>
        <b>{exception.type}</b>
        {exception.message === '' ? null : `: ${exception.message}`}{' '}
        <CopyButton text={exception.traceback} name={trans.__('Copy the traceback')} />
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a text that scrolls must be reachable by keyboard */}
      <pre className="ph-Text" tabIndex={0}>
        {exception.traceback}
      </pre>
    </section>
  );
}
