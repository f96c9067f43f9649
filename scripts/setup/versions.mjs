/** Versions that the set-up asks for, and how they are compared. */
export const nodeVersionMin = '20.19.0';
export const natsVersionMin = '2.12.0';

/**
 * The first `major.minor.patch` in a text, as in `nats-server: v2.15.1` or `v20.19.0`; null when there is none.
 *
 * @param {string} text
 */
export function findVersion(text) {
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? null;
}

/** Whether `version` is `minimum` or newer, part by part as numbers: 2.9.0 is older than 2.12.0. @param {string} version @param {string} minimum */
export function isAtLeast(version, minimum) {
  const have = version.split('.').map(Number);
  const want = minimum.split('.').map(Number);
  for (let part = 0; part < want.length; part++) {
    const difference = (have[part] ?? 0) - (want[part] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
