import type { RequestOp } from '@pilothouse/sdk/internal';
import { useId } from 'react';
import { useApp } from '../hooks/context.js';
import { CallForm } from './call-form.js';
import { type Drafts, REST_METHODS } from './drafts.js';
import { type FormProps, TextArea } from './form-parts.js';
import { TensorForm } from './tensor-form.js';

/** The boxes for one kind of request. */
export function RequestForm(props: FormProps & { readonly op: RequestOp }): JSX.Element {
  switch (props.op) {
    case 'chat':
      return <ChatForm {...props} />;
    case 'complete':
      return <CompleteForm {...props} />;
    case 'embed':
      return <EmbedForm {...props} />;
    case 'infer':
      return <TensorForm {...props} />;
    case 'call':
      return <CallForm {...props} />;
    case 'rest':
      return <RestForm {...props} />;
  }
}

function ChatForm({ drafts, onChange }: FormProps): JSX.Element {
  const { trans } = useApp();
  const id = useId();
  const { chat } = drafts;
  const set = (change: Partial<Drafts['chat']>): void => onChange({ chat: { ...chat, ...change } });
  return (
    <>
      <TextArea label={trans.__('Prompt')} rows={3} value={chat.prompt} onChange={(prompt) => set({ prompt })} />
      <details className="ph-Options" open={chat.system !== '' || chat.image !== ''}>
        <summary>{trans.__('System message, image')}</summary>
        <TextArea
          label={trans.__('System message')}
          rows={2}
          value={chat.system}
          onChange={(system) => set({ system })}
        />
        <label htmlFor={`${id}-image`}>{trans.__('Image')}</label>
        <input
          id={`${id}-image`}
          className="jp-mod-styled"
          placeholder="data/A01.png"
          value={chat.image}
          onChange={(event) => set({ image: event.target.value })}
        />
        <p className="ph-Field-hint">
          {trans.__('A path on the machine of the service: png, jpeg, webp or gif, in a folder that it may read.')}
        </p>
      </details>
    </>
  );
}

function CompleteForm({ drafts, onChange }: FormProps): JSX.Element {
  const { trans } = useApp();
  return (
    <TextArea
      label={trans.__('Beginning of the text')}
      rows={3}
      value={drafts.complete.prompt}
      onChange={(prompt) => onChange({ complete: { prompt } })}
    />
  );
}

function EmbedForm({ drafts, onChange }: FormProps): JSX.Element {
  const { trans } = useApp();
  return (
    <TextArea
      label={trans.__('Texts, one a line')}
      rows={3}
      value={drafts.embed.input}
      hint={trans.__('Each becomes one vector.')}
      onChange={(input) => onChange({ embed: { input } })}
    />
  );
}

function RestForm({ drafts, onChange }: FormProps): JSX.Element {
  const { trans } = useApp();
  const id = useId();
  const { rest } = drafts;
  const set = (change: Partial<Drafts['rest']>): void => onChange({ rest: { ...rest, ...change } });
  return (
    <>
      <div className="ph-RestLine">
        <label htmlFor={`${id}-method`}>{trans.__('Method')}</label>
        <select
          id={`${id}-method`}
          className="jp-mod-styled"
          value={rest.method}
          onChange={(event) => {
            const method = REST_METHODS.find((one) => one === event.target.value);
            if (method !== undefined) set({ method });
          }}
        >
          {REST_METHODS.map((method) => (
            <option key={method}>{method}</option>
          ))}
        </select>
        <label htmlFor={`${id}-path`}>{trans.__('Path')}</label>
        <input
          id={`${id}-path`}
          className="jp-mod-styled"
          value={rest.path}
          onChange={(event) => set({ path: event.target.value })}
        />
      </div>
      {rest.method === 'GET' ? null : (
        <TextArea label={trans.__('Body (JSON)')} rows={5} code value={rest.body} onChange={(body) => set({ body })} />
      )}
    </>
  );
}
