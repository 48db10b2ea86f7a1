/** In what two values differ. */

import type { Value } from 'monomove';
import { children, inline } from '../lib/values';

/** A leaf that differs. */
export interface Change {
  readonly path: string;
  readonly before: string;
  readonly now: string;
}

/** The leaves in which two values differ. */
export function differences(before: Value | undefined, now: Value | undefined, path = ''): readonly Change[] {
  const text = (value: Value | undefined): string => (value === undefined ? '–' : inline(value, 64));
  if (before !== undefined && now !== undefined && before.kind === now.kind) {
    const a = children(before);
    const b = children(now);
    if (a.length > 0 && a.length === b.length && a.every((part, i) => part.name === b[i]?.name)) {
      return a.flatMap((part, i) =>
        differences(part.value, b[i]?.value, path === '' ? part.name : `${path}.${part.name}`),
      );
    }
  }
  const change = { path, before: text(before), now: text(now) };
  return change.before === change.now && before?.kind === now?.kind ? [] : [change];
}
