/**
 * Runs a file with what V8 had compiled of it at an earlier start. Without that V8 reads all of the file at each start, and compiles each function again when it is first
 * called, which is most of what a start costs. Whatever is wrong with what was kept, the file is compiled as usual.
 */
import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { createRequire, Module } from 'node:module';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';

const digestBytes = 32;
/** A program that stays keeps what is compiled by then: what it starts with, and no more than a moment's work. */
const keepAfterMs = 10_000;
/** Each of a few MiB: of each command, and of each set of flags with which Node is started. */
const filesKept = 24;

/**
 * Gives what the file exports.
 *
 * @param {string} file absolute; a CommonJS module in ASCII
 * @param {{ use: string, folder: string }} kept `use`: what this process runs it for, as other functions are called for another use; `folder`: where compiled code is kept
 * @returns {any}
 */
export function runCompiled(file, { use, folder }) {
  const source = fs.readFileSync(file);
  // Its tag says what V8 asks of its code: its version, its flags, the processor.
  const codeFile = path.join(folder, `${path.parse(file).name}-${use}-${v8.cachedDataVersionTag().toString(16)}.code`);
  const code = keptCode(codeFile, source);
  const script = new vm.Script(Module.wrap(source.toString('latin1')), {
    filename: file,
    ...(code && { cachedData: code }),
  });
  const module = {
    exports: {},
    importOutside: (/** @type {string} */ name) => import(name),
  };
  script.runInThisContext()(module.exports, createRequire(file), module, file, path.dirname(file));
  if (!code || script.cachedDataRejected) keepWhenStarted(() => keepCode(codeFile, source, script.createCachedData()));
  return module.exports;
}

/** Of the very source, and whole: V8 itself looks at little more than its length. @param {Buffer} source @param {Buffer} code */
const digestOf = (source, code) => createHash('sha256').update(source).update(code).digest();

/** @param {string} codeFile @param {Buffer} source */
function keptCode(codeFile, source) {
  try {
    const kept = fs.readFileSync(codeFile);
    const code = kept.subarray(digestBytes);
    return digestOf(source, code).equals(kept.subarray(0, digestBytes)) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** A command that failed may not have come to most of what it does. @param {() => void} keep */
function keepWhenStarted(keep) {
  let isKept = false;
  const once = () => {
    if (isKept) return;
    isKept = true;
    keep();
  };
  setTimeout(once, keepAfterMs).unref();
  process.once('exit', (exitCode) => {
    if (exitCode === 0) once();
  });
}

/** @param {string} codeFile @param {Buffer} source @param {Buffer} code */
function keepCode(codeFile, source, code) {
  const folder = path.dirname(codeFile);
  const unfinished = path.join(folder, `${randomUUID()}.unfinished`);
  try {
    fs.writeFileSync(unfinished, Buffer.concat([digestOf(source, code), code]));
    fs.renameSync(unfinished, codeFile);
    const names = fs.readdirSync(folder).filter((name) => name.endsWith('.code'));
    removeOldest({ folder, names, filesKept });
  } catch {
    // The next start compiles as this one did.
    fs.rmSync(unfinished, { force: true });
  }
}

/** @param {{ folder: string, names: readonly string[], filesKept: number }} files */
export function removeOldest({ folder, names, filesKept }) {
  const files = names.map((name) => path.join(folder, name));
  const times = new Map(files.map((file) => [file, fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0]));
  const newestFirst = files.sort((a, b) => Number(times.get(b)) - Number(times.get(a)));
  for (const file of newestFirst.slice(filesKept)) fs.rmSync(file, { force: true });
}
