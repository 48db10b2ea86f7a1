/** How calls end, and what goes wrong before them, in words. */

import type { Failure, FormatProblem, Outcome } from 'monomove';
import { inline } from '../lib/values';

/** A location as text: `m::f+12`. */
function place(failure: Failure): string {
  const { module, function: fn, offset } = failure.location;
  if (module === undefined) return '';
  return ` in ${module.replace(/^0x[0-9a-f]+::/i, '')}${fn === undefined ? '' : `::${fn}`}${offset === undefined ? '' : `+${offset}`}`;
}

export function describeFailure(failure: Failure): string {
  const code = failure.subStatus;
  const detail =
    code === undefined
      ? ''
      : failure.status === 'ABORTED'
        ? ` with code ${code} (0x${code.toString(16)})`
        : ` (${code})`;
  const message = failure.message === undefined || failure.message === '' ? '' : `: ${failure.message}`;
  return `${failure.status}${detail}${place(failure)}${message}`;
}

/** One line about an outcome. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'kept':
      if (!outcome.success) return describeFailure(outcome.failure);
      return outcome.values.length === 0
        ? 'returned'
        : `returned ${outcome.values.map((v) => inline(v.value, 60)).join(', ')}`;
    case 'discarded':
      return `discarded: ${describeFailure(outcome.failure)}`;
    case 'fault':
      return `fault (${outcome.fault.kind}): ${outcome.fault.message}`;
  }
}

/** One line about a refused binary. `nameOf` gives the name of a function by its definition index, if the module can be read. */
export function describeProblem(
  problem: FormatProblem,
  nameOf: (index: number) => string | undefined = () => undefined,
): string {
  const where =
    problem.function !== undefined
      ? ` in ${nameOf(problem.function) ?? `function ${problem.function}`}${problem.offset === undefined ? '' : `+${problem.offset}`}`
      : problem.byte !== undefined
        ? ` at byte ${problem.byte}`
        : '';
  return `${problem.status} (${problem.statusCode})${where}${problem.message === '' ? '' : `: ${problem.message}`}`;
}

function hasProblem(error: object): error is { problem: FormatProblem } {
  return 'problem' in error && typeof error.problem === 'object' && error.problem !== null;
}

function hasOutcome(error: object): error is { outcome: { failure: Failure } } {
  return (
    'outcome' in error && typeof error.outcome === 'object' && error.outcome !== null && 'failure' in error.outcome
  );
}

/** What a refused module is refused for, if an error says so. */
export function problemOf(error: unknown): FormatProblem | undefined {
  return typeof error === 'object' && error !== null && hasProblem(error) ? error.problem : undefined;
}

/** One line about anything thrown. */
export function describeError(error: unknown): string {
  if (typeof error === 'object' && error !== null) {
    if (hasProblem(error)) return describeProblem(error.problem);
    if (hasOutcome(error)) return describeFailure(error.outcome.failure);
  }
  return error instanceof Error ? error.message : String(error);
}
