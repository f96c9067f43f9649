/** Errors of the log behind which it may have done what was asked, or may know what was asked for. */
export const outcomeUnknown = 'MACH3002';
const logAway = 'MACH3009';

/** The log has said nothing: nobody knows whether it has the message, where the message would stand, or what it holds. */
export function isUnanswered(error: unknown): boolean {
  const { code } = error as { readonly code?: string };
  return code === outcomeUnknown || code === logAway;
}
