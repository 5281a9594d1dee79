import type { InstanceRecord, ServiceRecord } from '@pilothouse/sdk/internal';
import { CopyButton, EmptyState } from '../components/small.js';
import { isFinal } from '../format/state.js';
import { useApp } from '../hooks/context.js';

/** Where the service answers: each named port of each instance, to be copied; of a key only whether there is one. */
export function Endpoints({ service }: { readonly service: ServiceRecord }): JSX.Element {
  const { trans } = useApp();
  const rows = service.instances.filter((one) => !isFinal('instance', one.state)).flatMap(portsOf);
  return (
    <>
      {rows.length === 0 ? (
        <EmptyState text={trans.__('No instance has an address at the moment.')} />
      ) : (
        <div className="ph-TableScroll">
          <table className="ph-Table">
            <caption className="ph-offscreen">{trans.__('Endpoints of %1', service.name)}</caption>
            <thead>
              <tr>
                <th scope="col">{trans.__('Instance')}</th>
                <th scope="col">{trans.__('Name')}</th>
                <th scope="col">{trans.__('Address')}</th>
                <th scope="col">{trans.__('Key')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ instance, name, url }) => (
                <tr key={`${instance.id} ${name}`}>
                  <th scope="row">{trans.__('instance %1', instance.index)}</th>
                  <td>{name}</td>
                  <td>
                    <code>{url}</code>{' '}
                    <CopyButton
                      text={url}
                      name={trans.__('Copy the address of %1, instance %2', name, instance.index)}
                    />
                  </td>
                  <td>
                    <KeyWord instance={instance} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p className="ph-Field-hint">
        {trans.__(
          'These are addresses on the machine of the service. From notebooks and tasks ask it by its name: then Pilothouse finds a free instance and adds the key.',
        )}
      </p>
    </>
  );
}

function KeyWord({ instance: { endpoint } }: { readonly instance: InstanceRecord }): JSX.Element {
  const { trans } = useApp();
  if (endpoint === null || endpoint.keyFile === null) return <>{trans.__('no key')}</>;
  return <span title={trans.__('The key is in a file that only you can read.')}>{trans.__('asks for a key')}</span>;
}

function portsOf(instance: InstanceRecord): { instance: InstanceRecord; name: string; url: string }[] {
  const { endpoint } = instance;
  if (endpoint === null) return [];
  const named = Object.entries(endpoint.ports).map(([name, url]) => ({ instance, name, url }));
  return named.length > 0 ? named : [{ instance, name: endpoint.url.split(':')[0] ?? '', url: endpoint.url }];
}
