/** What is wrong with the name of a time zone in an expression. */
import { didYouMean } from '../../did-you-mean.ts';
import { isZone } from '../../zone.ts';
import type { Misfit } from './define.ts';

export function zoneProblem(name: string): Misfit | undefined {
  if (isZone(name)) return undefined;
  // The list has this zone under the name that it had until 1993 only.
  const meant = didYouMean(name, ['Asia/Ho_Chi_Minh', 'UTC', ...Intl.supportedValuesOf('timeZone')]);
  return {
    reason: `"${name}" is not a time zone, such as "Asia/Ho_Chi_Minh"`,
    suggestion: meant === undefined ? undefined : JSON.stringify(meant),
  };
}
