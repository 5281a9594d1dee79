/** Where a description names something, a handle may stand for its id. */
export function reference(thing: string | { readonly id: string }): string {
  return typeof thing === 'string' ? thing : thing.id;
}
