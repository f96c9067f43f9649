/** The page as the browser gets it: made of TypeScript and CSS when the server starts, in a moment, and kept in memory. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

/** Latin with what Vietnamese needs: the other alphabets of the font are not shown anywhere. */
const fonts = ['latin', 'latin-ext', 'vietnamese'].map((part) => `inter-${part}-wght-normal.woff2`);

/** By path: `/assets/page.js`. */
export async function bundlePage(): Promise<ReadonlyMap<string, Asset>> {
  const { build } = await import('esbuild');
  const page = join(dirname(fileURLToPath(import.meta.url)), 'page');
  const { outputFiles } = await build({
    entryPoints: [join(page, 'page.ts'), join(page, 'page.css')],
    outdir: '/assets',
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['*.woff2'],
    logLevel: 'silent',
  });
  const assets = new Map<string, Asset>();
  for (const { path, contents } of outputFiles) {
    const type = path.endsWith('.css') ? 'text/css; charset=utf-8' : 'text/javascript; charset=utf-8';
    assets.set(path, { type, body: Buffer.from(contents) });
  }
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@fontsource-variable/inter/package.json'));
  for (const name of fonts) {
    assets.set(`/assets/${name}`, { type: 'font/woff2', body: await readFile(join(folder, 'files', name)) });
  }
  return assets;
}

export const pageHtml = `<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<title>Mạch</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/page.css">
<script type="module" src="/assets/page.js"></script>
</head>
<body></body>
</html>
`;
