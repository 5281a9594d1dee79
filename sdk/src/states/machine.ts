/** A closed set of states, which may follow which, and which are final. */
export interface StateMachine<S extends string> {
  readonly states: readonly [S, ...S[]];
  readonly initial: S;
  /** States after which nothing follows. */
  readonly final: ReadonlySet<S>;
  readonly transitions: { readonly [K in S]: readonly S[] };
  isFinal(state: S): boolean;
  /** Whether `to` may follow `from` in one step. */
  allows(from: S, to: S): boolean;
  /** Whether `to` can still come after `from`, in any number of steps (a state reaches itself). */
  canReach(from: S, to: S): boolean;
}

/** Builds a {@link StateMachine} from its transition table; the first state named is the initial one. */
export function stateMachine<const T extends { readonly [state: string]: readonly (keyof T & string)[] }>(
  transitions: T,
): StateMachine<keyof T & string> {
  type S = keyof T & string;
  const [initial, ...others] = Object.keys(transitions) as S[];
  if (initial === undefined) throw new RangeError('a state machine needs at least one state');
  const states: readonly [S, ...S[]] = [initial, ...others];
  const final = new Set(states.filter((state) => transitions[state]?.length === 0));
  const reach = new Map<S, Set<S>>();
  for (const start of states) {
    const seen = new Set<S>([start]);
    const queue: S[] = [start];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      for (const to of transitions[next] ?? []) {
        if (!seen.has(to)) {
          seen.add(to);
          queue.push(to);
        }
      }
    }
    reach.set(start, seen);
  }
  return {
    states,
    initial,
    final,
    transitions,
    isFinal: (state) => final.has(state),
    allows: (from, to) => transitions[from]?.includes(to) ?? false,
    canReach: (from, to) => reach.get(from)?.has(to) ?? false,
  };
}
