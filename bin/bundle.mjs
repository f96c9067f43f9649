/**
 * The program as one file, so that it starts in half the time: Node asks a loader about each of some thousand modules otherwise. Made when it is
 * first wanted and whenever a file of it has changed; nobody has to think of it, and without it everything runs as well, only later.
 */
import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { removeOldest } from './compiled.mjs';

/** Bundles and maps that are left in the folder: another process may be about to load one that is no longer the newest. */
const filesKept = 8;

/**
 * @typedef {object} Place
 * @property {string} root absolute; sources, `node_modules` and the lock file are there
 * @property {string} entry absolute
 * @property {string} folder absolute; bundles are kept there, and nothing else
 * @property {readonly string[]} inlined packages that become part of the bundle
 * @property {readonly Place[]} alongside of which bundles are made when this one is
 */

/**
 * @typedef {object} Bundle
 * @property {string} name of the file in the folder
 * @property {number} bytes
 * @property {string} madeFor what it depends on besides files
 * @property {Record<string, string>} inputs size and time of change of each file, as they were before it was read
 */

/**
 * The absolute path of a bundle that is as the sources are now. Undefined when there is none and none can be made.
 *
 * @param {Place} place
 * @returns {Promise<string | undefined>}
 */
export async function currentBundle(place) {
  try {
    const kept = keptBundle(place);
    if (kept) return kept;
    const made = await makeBundle(place);
    for (const other of place.alongside) await currentBundle(other);
    return made;
  } catch {
    return undefined;
  }
}

/** The sources' own places are in the text of the bundle: a copy of the folder needs another. @param {Place} place */
const madeFor = ({ root }) => `${root} node-${process.versions.node.split('.')[0]}`;
/** @param {Place} place */
const recordOf = ({ folder }) => path.join(folder, 'current.json');

/** @param {string} file */
function lookOf(file) {
  const stats = fs.statSync(file, { throwIfNoEntry: false });
  return stats ? `${stats.size} ${stats.mtimeMs}` : 'absent';
}

/** @param {Place} place */
function keptBundle(place) {
  const record = readRecord(recordOf(place));
  if (record?.madeFor !== madeFor(place)) return undefined;
  const file = path.join(place.folder, record.name);
  if (fs.statSync(file, { throwIfNoEntry: false })?.size !== record.bytes) return undefined;
  for (const input in record.inputs) if (record.inputs[input] !== lookOf(input)) return undefined;
  return file;
}

/** @param {string} file @returns {Bundle | undefined} */
function readRecord(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {Place} place */
async function makeBundle(place) {
  const { root, folder } = place;
  fs.mkdirSync(folder, { recursive: true });
  // Asked before the work is done: where it cannot be kept, every start would do it again.
  const unfinished = path.join(folder, `${randomUUID()}.unfinished`);
  fs.writeFileSync(unfinished, '');
  try {
    /** @type {Record<string, string>} */
    const inputs = {};
    const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'node_modules/esbuild/package.json'];
    for (const file of [import.meta.filename, ...settings.map((name) => path.join(root, name))]) {
      inputs[file] = lookOf(file);
    }
    const { code, map } = await bundled(place, inputs);
    const name = `${createHash('sha256').update(code).digest('hex').slice(0, 16)}.cjs`;
    const text = `${code}//# sourceMappingURL=${name}.map\n`;
    /** @type {Bundle} */
    const bundle = { name, bytes: Buffer.byteLength(text), madeFor: madeFor(place), inputs };
    const files = { [`${name}.map`]: map, [name]: text, [path.basename(recordOf(place))]: JSON.stringify(bundle) };
    for (const [file, content] of Object.entries(files)) {
      fs.writeFileSync(unfinished, content);
      fs.renameSync(unfinished, path.join(folder, file));
    }
    removeOldest({ folder, names: fs.readdirSync(folder).filter((name) => !name.endsWith('.code')), filesKept });
    return path.join(folder, name);
  } finally {
    fs.rmSync(unfinished, { force: true });
  }
}

/**
 * @param {Place} place
 * @param {Record<string, string>} inputs each file that is read is added, our own sources as they were before
 */
async function bundled({ root, entry, folder, inlined }, inputs) {
  const { build, stop } = await import('esbuild');
  /** @param {string} file */
  const isOfPackage = (file) => path.relative(root, file).split(path.sep).includes('node_modules');
  /** @param {string} wanted */
  const isInlined = (wanted) => inlined.some((name) => wanted === name || wanted.startsWith(`${name}/`));
  try {
    const { outputFiles, metafile } = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile: path.join(folder, 'program.cjs'),
      bundle: true,
      write: false,
      metafile: true,
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      sourcemap: 'external',
      sourcesContent: false,
      logLevel: 'silent',
      banner: { js: declareImportOutside },
      define: Object.fromEntries(Object.entries(ownPlace).map(([field, name]) => [`import.meta.${field}`, name])),
      plugins: [
        {
          name: 'mach',
          setup({ onResolve, onLoad }) {
            onResolve({ filter: /^[^./]/ }, ({ path: wanted, importer, kind }) => {
              if (kind === 'entry-point' || isOfPackage(importer)) return undefined;
              return isInlined(wanted) ? undefined : { path: wanted, external: true };
            });
            onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
              inputs[file] = lookOf(file);
              const text = withImportOutside(fs.readFileSync(file, 'utf8'), isInlined);
              return { contents: withOwnPlace(file, text), loader: 'default' };
            });
          },
        },
      ],
    });
    const [map, code] = outputFiles;
    if (!map || !code) throw new Error('esbuild gave no bundle');
    const [output] = Object.values(metafile.outputs).filter(({ imports }) => imports.length > 0);
    if (output?.imports.some(({ kind }) => kind === 'dynamic-import')) throw new Error('an import stayed as it was');
    for (const file of Object.keys(metafile.inputs).map((input) => path.resolve(root, input))) {
      inputs[file] ??= lookOf(file);
    }
    return { code: inAscii(code.text), map: map.text };
  } finally {
    // Its process would live as long as ours.
    await stop();
  }
}

/**
 * esbuild leaves letters that are not ASCII in comments and in regular expressions alone, and both take them escaped. With one of them V8 would keep each
 * letter of the program in two bytes, and Node would look for them at each start.
 *
 * @param {string} text
 */
const inAscii = (text) =>
  text.replace(/[^\x00-\x7f]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A script of `node:vm` cannot import (see `compiled.mjs`): who runs it does. */
const declareImportOutside = 'const importOutside = module.importOutside ?? ((name) => import(name));';

/** @param {string} text @param {(name: string) => boolean} isInlined */
function withImportOutside(text, isInlined) {
  // Not those of types.
  return text.replace(/(?<!typeof )\bimport\('([^.'][^']*)'\)(?!\.)/g, (whole, name) => {
    return isInlined(name) ? whole : `importOutside('${name}')`;
  });
}

/** Fields of `import.meta`, and the variables that stand for them. */
const ownPlace = { url: 'sourceUrl', filename: 'sourceFile', dirname: 'sourceFolder' };

/** What lies beside a source is found from the source's own place, also when it runs from the bundle. @param {string} file @param {string} text */
function withOwnPlace(file, text) {
  if (!text.includes('import.meta')) return text;
  const values = { url: pathToFileURL(file).href, filename: file, dirname: path.dirname(file) };
  const declared = Object.entries(values).map(([field, value]) => {
    return `${ownPlace[/** @type {keyof typeof ownPlace} */ (field)]} = ${JSON.stringify(value)}`;
  });
  // In the first line, so that lines keep their numbers.
  return `const ${declared.join(', ')}; ${text}`;
}
