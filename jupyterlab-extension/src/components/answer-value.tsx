import type { AnswerRecord, Tensor } from '@pilothouse/sdk/internal';
import { useState } from 'react';
import { isFinal } from '../format/state.js';
import { asTensors, asVectors, fieldsOf, shortNumbers } from '../format/value.js';
import { useApp } from '../hooks/context.js';
import { CopyButton, LinkButton } from './small.js';

/** Numbers of a vector or tensor that are written out; the rest is counted. */
const SHOWN = 8;
/** Pieces of a stream that stay on the page. */
const PIECES = 20;

/** What came back where that is not text: vectors with their dimension, tensors with their shape, values by field. */
export function AnswerValue(props: {
  readonly record: AnswerRecord;
  readonly text: string;
  readonly pieces: readonly unknown[];
  /** What to say while nothing is there. */
  readonly waiting: string;
}): JSX.Element | null {
  const { trans } = useApp();
  const { record, text, pieces } = props;
  const { request, value, chunks } = record;
  const final = isFinal('answer', record.state);
  if (value !== null && value !== undefined) {
    const vectors = request.op === 'embed' ? asVectors(value) : null;
    const tensors = request.op === 'infer' ? asTensors(value) : null;
    return (
      <div className="ph-Answer-body">
        {vectors !== null && request.op === 'embed' ? (
          <Vectors vectors={vectors} texts={request.input} />
        ) : tensors === null ? (
          <Value value={value} />
        ) : (
          <Tensors tensors={tensors} />
        )}
      </div>
    );
  }
  if (pieces.length > 0 || text !== '') {
    return (
      <div className="ph-Answer-body">
        <p>
          {final
            ? trans._n('%1 piece', '%1 pieces', Math.max(chunks, pieces.length))
            : trans._n('%1 piece so far', '%1 pieces so far', Math.max(chunks, pieces.length))}
        </p>
        <ol
          className="ph-Pieces"
          aria-label={trans.__('Pieces of the answer')}
          start={Math.max(1, pieces.length - PIECES + 1)}
        >
          {pieces.slice(-PIECES).map((piece, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no name but their place
            <li key={index}>
              <code>{JSON.stringify(piece)}</code>
            </li>
          ))}
        </ol>
        {text === '' ? null : <pre className="ph-Answer-plain">{text}</pre>}
      </div>
    );
  }
  if (final) {
    return record.state === 'DONE' ? (
      <p className="ph-Answer-waiting">{trans.__('It answered with nothing, which is what it was asked for.')}</p>
    ) : null;
  }
  return (
    <p className="ph-Answer-waiting">
      {chunks > 0 ? trans._n('%1 piece so far', '%1 pieces so far', chunks) : props.waiting}
    </p>
  );
}

function Vectors(props: { readonly vectors: readonly number[][]; readonly texts: readonly string[] }): JSX.Element {
  const { trans } = useApp();
  const { vectors, texts } = props;
  return (
    <>
      <p>
        {trans._n('%1 vector', '%1 vectors', vectors.length)}
        {' · '}
        {trans.__('dimension %1', vectors[0]?.length ?? 0)} <CopyJson value={vectors} />
      </p>
      <table className="ph-Table ph-mod-wide">
        <caption className="ph-offscreen">{trans.__('Vectors')}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Text')}</th>
            <th scope="col">{trans.__('Length')}</th>
            <th scope="col">{trans.__('Numbers')}</th>
          </tr>
        </thead>
        <tbody>
          {vectors.map((vector, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a vector belongs to the text at its place
            <tr key={index}>
              <th scope="row">{texts[index] ?? index + 1}</th>
              <td title={trans.__('Euclidean length')}>{Math.hypot(...vector).toFixed(3)}</td>
              <td>
                <code>{shortNumbers(vector, SHOWN)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Tensors({ tensors }: { readonly tensors: readonly Tensor[] }): JSX.Element {
  const { trans } = useApp();
  return (
    <>
      <p>
        {trans._n('%1 output', '%1 outputs', tensors.length)} <CopyJson value={tensors} />
      </p>
      <table className="ph-Table ph-mod-wide">
        <caption className="ph-offscreen">{trans.__('Outputs')}</caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Name')}</th>
            <th scope="col">{trans.__('Datatype')}</th>
            <th scope="col">{trans.__('Shape')}</th>
            <th scope="col">{trans.__('Values')}</th>
          </tr>
        </thead>
        <tbody>
          {tensors.map(({ name, datatype, shape, data }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{datatype}</td>
              <td>{shape.join(' × ')}</td>
              <td>
                <code>{shortNumbers(data, SHOWN)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

/** Any value: its fields as a table where it has some, else as JSON; the JSON on request. */
function Value({ value }: { readonly value: unknown }): JSX.Element {
  const { trans } = useApp();
  const fields = fieldsOf(value);
  const [asJson, setAsJson] = useState(fields === null);
  return (
    <>
      {asJson || fields === null ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a text that scrolls must be reachable by keyboard
        <pre className="ph-Answer-json" tabIndex={0}>
          {JSON.stringify(value, null, 2)}
        </pre>
      ) : (
        <table className="ph-Table">
          <caption className="ph-offscreen">{trans.__('Value')}</caption>
          <tbody>
            {fields.map(([name, text]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>
                  <code>{text}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <span className="ph-Answer-mode">
        {fields === null ? null : (
          <LinkButton onClick={() => setAsJson(!asJson)}>
            {asJson ? trans.__('by field') : trans.__('as JSON')}
          </LinkButton>
        )}{' '}
        <CopyJson value={value} />
      </span>
    </>
  );
}

function CopyJson({ value }: { readonly value: unknown }): JSX.Element {
  const { trans } = useApp();
  return <CopyButton text={JSON.stringify(value)} name={trans.__('Copy as JSON')} />;
}
