import type { Fact } from './description.js';

/** Facts as a table of two columns. */
export function Facts(props: { readonly name: string; readonly facts: readonly Fact[] }): JSX.Element {
  return (
    <table className="ph-Table">
      <caption className="ph-offscreen">{props.name}</caption>
      <tbody>
        {props.facts.map((fact) => (
          <tr key={fact.name}>
            <th scope="row">{fact.name}</th>
            <td className="ph-mod-long">{fact.value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
