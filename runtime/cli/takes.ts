/** What an option takes, for who has given it something else (MACH1620). */

export const takesDuration = 'a duration with its unit, such as 30s or 5m';
export const takesPort = 'a port, or an address such as 127.0.0.1:8080';

export function takesCount(most: number): string {
  return `a whole number from 1 to ${most}`;
}
