/** Requests to the HTTP server of an engine, for commands that look into one that runs. */
import { messageOf } from '../errors.ts';
import { cliErrors } from './errors.ts';

/** Throws MACH1620 when the address of `--url` is none, MACH1622 when nobody answers there. */
export async function fetchEngine(url: string, path: string, init: RequestInit = {}): Promise<Response> {
  if (!/^https?:\/\/./.test(url) || !URL.canParse(url))
    throw cliErrors.make('MACH1620', {
      option: '--url',
      value: url,
      takes: 'an address such as http://127.0.0.1:8080',
    });
  try {
    return await fetch(`${url.replace(/\/$/, '')}${path}`, init);
  } catch (error) {
    throw cliErrors.make('MACH1622', { url, reason: reasonOf(error) }, error);
  }
}

/** What `fetch` says of itself is that it failed; why stands in the cause. */
export function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return cause === undefined ? messageOf(error) : messageOf(cause) || (cause as NodeJS.ErrnoException).code || 'failed';
}
