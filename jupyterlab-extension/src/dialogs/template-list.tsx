import type { TemplateReport } from '@pilothouse/sdk/internal';
import { useId, useState } from 'react';
import { LinkButton } from '../components/small.js';
import { useApp } from '../hooks/context.js';
import { needed, OWN_COMMAND } from './start-model.js';

/** From this many on, they can be filtered by name. */
const FILTER_FROM = 8;

/** What can be started: those found here first, the others with the reason and what would help. */
export function TemplateList(props: {
  readonly templates: readonly TemplateReport[];
  readonly chosen: string | null;
  readonly onChoose: (template: TemplateReport | null) => void;
  readonly onAttach: () => void;
}): JSX.Element {
  const { trans } = useApp();
  const [filter, setFilter] = useState('');
  const id = useId();
  const { templates, chosen } = props;
  const wanted = filter.trim().toLowerCase();
  const sources = { builtin: null, site: trans.__('from your site'), user: trans.__('your own') };
  const shown = [...templates]
    .filter(({ name, title }) => `${name} ${title}`.toLowerCase().includes(wanted))
    .sort((a, b) => rank(a) - rank(b));
  return (
    <fieldset className="ph-Templates">
      <legend>{trans.__('What')}</legend>
      {templates.length < FILTER_FROM ? null : (
        <input
          className="jp-mod-styled"
          type="search"
          placeholder={trans.__('Filter templates')}
          aria-label={trans.__('Filter templates')}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      )}
      <div className="ph-Templates-list">
        {shown.map((template) => {
          const usable = template.available && template.launches;
          const source = sources[template.source];
          return (
            <label key={template.name} className={usable ? '' : 'ph-mod-off'}>
              <input
                type="radio"
                name={id}
                checked={template.name === chosen}
                disabled={!usable}
                onChange={() => props.onChoose(template)}
              />
              <span>
                <span>
                  <b>{template.title}</b> <span className="ph-Field-hint">{template.api}</span>
                  {source === null ? null : <span className="ph-Field-hint"> · {source}</span>}
                </span>
                <span>{usable ? template.description : (template.reason ?? template.description)}</span>
                <span className="ph-Templates-links">
                  {template.launches ? null : (
                    <LinkButton onClick={props.onAttach}>{trans.__('Attach a running one')}</LinkButton>
                  )}
                  {template.docs === null ? null : (
                    <a href={template.docs} target="_blank" rel="noreferrer" className="ph-Link">
                      {trans.__('About %1', template.title)}
                    </a>
                  )}
                </span>
              </span>
            </label>
          );
        })}
        <label>
          <input type="radio" name={id} checked={chosen === OWN_COMMAND} onChange={() => props.onChoose(null)} />
          <span>
            <b>{trans.__('A command of your own')}</b>
            <span>{trans.__('Any server, or a service written with Pilothouse in Python or TypeScript.')}</span>
          </span>
        </label>
      </div>
    </fieldset>
  );
}

/**
 * Usable ones first; among them those of user and site, which somebody has put there for a reason, then what can be
 * started without a word more, such as the demo.
 */
export function rank(template: TemplateReport): number {
  const usable = template.available && template.launches ? 0 : 10;
  return usable + { user: 0, site: 2, builtin: 4 }[template.source] + (needed(template).length === 0 ? 0 : 1);
}
