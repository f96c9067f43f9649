/**
 * Keeps `package-lock.json` usable everywhere.
 *
 * A registry mirror may carry packages for some platforms only. `npm install` then leaves the others out of the lock file,
 * and `npm ci` (npm 11) refuses the file: "Missing: @chdb/lib-darwin-x64@ from lock file". Each optional package that is
 * named by another is therefore entered, with the version that is asked for and the platform that its name tells.
 * Addresses of a registry (`resolved`) do not belong in it either: the client's own configuration says where to fetch.
 *
 * Usage: node --import tsx scripts/lockfile.ts     completes the file; `npm run check` says when that is needed
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly cpu?: readonly string[];
  readonly dev?: boolean;
  readonly libc?: readonly string[];
  readonly license?: string;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

function makeEntry(name: string, version: string, parent: LockedPackage): LockedPackage {
  const words = name.split(/[-/]/);
  const os = words.find((word) => systems.includes(word));
  const cpu = words.find((word) => processors.includes(word));
  if (!os || !cpu) throw new Error(`${name} is optional and absent, and its name tells no platform: enter it by hand`);
  const libc = words.includes('musl') ? 'musl' : words.includes('gnu') ? 'glibc' : undefined;
  return {
    version,
    cpu: [cpu],
    ...(parent.dev ? { dev: true } : {}),
    ...(libc ? { libc: [libc] } : {}),
    ...(parent.license ? { license: parent.license } : {}),
    optional: true,
    os: [os],
  };
}

/** The optional packages that are named in the file and have no entry, as entries by their place in the file. */
export function findMissing(lock: Lockfile): Record<string, LockedPackage> {
  const missing: Record<string, LockedPackage> = {};
  for (const [place, parent] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const shared = `node_modules/${name}`;
      if (shared in lock.packages || `${place}/${shared}` in lock.packages) continue;
      missing[shared] = makeEntry(name, version, parent);
    }
  }
  return missing;
}

/** What is wrong with the file, a line each. */
export function checkLockfile(lock: Lockfile): string[] {
  const problems = Object.keys(findMissing(lock)).map(
    (place) => `package-lock.json: no entry for ${place}; npm ci refuses that. Run: npm run lock`,
  );
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (entry.resolved !== undefined) {
      problems.push(`package-lock.json: ${place} has an address ("resolved"). Remove it: .npmrc leaves them out`);
    }
  }
  return problems;
}

export function completeLockfile<L extends Lockfile>(lock: L): L {
  const { '': root, ...packages } = { ...lock.packages, ...findMissing(lock) };
  const sorted = Object.entries(packages).sort(([left], [right]) => left.localeCompare(right, 'en'));
  return { ...lock, packages: { '': root ?? {}, ...Object.fromEntries(sorted) } };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = join(dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8')) as Lockfile;
  const added = Object.keys(findMissing(lock));
  if (added.length > 0) writeFileSync(file, `${JSON.stringify(completeLockfile(lock), null, 2)}\n`);
  console.log(added.length > 0 ? `entered: ${added.join(', ')}` : 'nothing is missing');
}
