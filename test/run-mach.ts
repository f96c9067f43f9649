/** A command line of `mach`, with the whole catalogue, in this process. */
import { PassThrough } from 'node:stream';
import { main } from '../runtime/cli/main.ts';

export async function runMach(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; output: string; errors: string }> {
  const gather = () => {
    const stream = new PassThrough();
    let text = '';
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    return { stream, text: () => text };
  };
  const stdout = gather();
  const stderr = gather();
  const code = await main(words, {
    version: '0.0.0',
    env,
    stdout: stdout.stream,
    stderr: stderr.stream,
    loadCatalogue: () => import('../catalogue.ts'),
  });
  await new Promise((resolve) => setImmediate(resolve));
  return { code, output: stdout.text(), errors: stderr.text() };
}
