import type { Launcher } from './table.js';

const SHELL = '/bin/sh';

/**
 * Starts independent copies with PILOTHOUSE_RANK and PILOTHOUSE_RANKS, waits for all and ends with the first bad exit
 * code: for programs that share work out by rank without MPI.
 */
const SCRIPT = `ranks=$1; shift; pids=; n=0
while [ "$n" -lt "$ranks" ]; do PILOTHOUSE_RANK=$n PILOTHOUSE_RANKS=$ranks "$@" & pids="$pids $!"; n=$((n+1)); done
code=0
for pid in $pids; do wait "$pid" || { ended=$?; [ "$code" -ne 0 ] || code=$ended; }; done
exit $code`;

export const fork: Launcher = {
  program: undefined,
  remedy: '',
  command: (_program, argv, { ranks }) => [SHELL, '-c', SCRIPT, 'fork', String(ranks), ...argv],
  variables: () => ({}),
};
