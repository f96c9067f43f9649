/**
 * The walls of the house: which part may import which. Read off the syntax tree, so that comments and strings do not
 * count and type-only imports are known as such.
 */
import { dirname, join, normalize } from 'node:path/posix';
import { parseAst } from 'vitest/node';

export interface SourceFile {
  /** Relative to the root of the repository, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** A path relative to the root of the repository, or the name of a package as it is written. */
  readonly target: string;
  readonly isPackage: boolean;
  readonly isTypeOnly: boolean;
  readonly line: number;
}

interface Wall {
  readonly appliesTo: (path: string) => boolean;
  readonly forbids: (used: Import, path: string) => boolean;
  readonly rule: string;
}

/** Tests, and what they share. */
const isTest = (path: string) =>
  /\.(test|fixture)\.ts$/.test(path) || /^(test|(operators|connectors)\/testing)\//.test(path);
const isUnder =
  (...folders: string[]) =>
  (path: string) =>
    folders.some((folder) => path.startsWith(`${folder}/`));
const matchesPackage = (name: string, used: Import) =>
  used.isPackage && (used.target === name || used.target.startsWith(`${name}/`));
const entry = 'runtime/stream/index.ts';
/** `runtime/clock.ts`, `errors.ts`, `limits.ts`, ...: small files that stand on nothing. */
const isRuntimeBase = (path: string) => /^runtime\/[\w-]+\.ts$/.test(path);

/** The coded errors that authors meet are handed on by the entry of `runtime/stream`. */
const isErrorList = (path: string) => /^runtime\/[\w-]+\/errors\.ts$/.test(path);

/** A part of the runtime and the other parts that it may import, besides itself and the base files. */
function part(folder: string, may: readonly string[], typesOf: readonly string[] = []): Wall {
  const own = `runtime/${folder}`;
  const allowed = isUnder(own, ...may.map((name) => `runtime/${name}`));
  const allowedAsType = isUnder(...typesOf.map((name) => `runtime/${name}`));
  const others = [...may, ...typesOf.map((name) => `${name} (types and errors only)`)].join(', ') || 'no other part';
  return {
    appliesTo: isUnder(own),
    forbids: ({ target, isPackage, isTypeOnly }, path) => {
      if (isPackage || !target.startsWith('runtime/') || isRuntimeBase(target) || allowed(target)) return false;
      if (isTest(path) && isUnder('runtime/testing')(target)) return false;
      return !((isTypeOnly || isErrorList(target)) && allowedAsType(target));
    },
    rule: `${own} imports ${others} of the runtime, and its base files (runtime/*.ts); tests also runtime/testing`,
  };
}

/** Only `folders` may import the packages `names`. */
function onlyIn(folders: readonly string[], names: readonly string[], rule: string): Wall {
  const mayImport = isUnder(...folders);
  return {
    appliesTo: (path) => !mayImport(path),
    forbids: (used) => names.some((name) => matchesPackage(name, used)),
    rule,
  };
}

/** `operators` is one house; each connector is one of its own. */
function ownFolder(path: string): string {
  return path.startsWith('connectors/') ? path.split('/').slice(0, 2).join('/') : 'operators';
}

const walls: readonly Wall[] = [
  {
    appliesTo: isUnder('runtime'),
    forbids: ({ target, isPackage }) =>
      !isPackage && (!target.startsWith('runtime/') || target.includes('node_modules/')) && target !== 'package.json',
    rule: 'the runtime imports nothing outside runtime/: operators, connectors, simulator and catalogue are handed to it',
  },
  {
    appliesTo: isUnder('operators', 'connectors'),
    forbids: ({ target, isPackage }, path) => {
      if (isPackage || target === entry || isUnder(ownFolder(path))(target)) return false;
      const isForTests = isUnder('runtime', 'operators/testing', 'connectors/testing');
      return !(isTest(path) && isForTests(target));
    },
    rule: `operators and connectors import ${entry} and their own folder, nothing else; tests also the rest of the runtime and */testing`,
  },
  part('stream', [], ['store', 'expression']),
  part('expression', ['stream']),
  part('topology', ['stream', 'expression'], ['store']),
  part('bus', ['stream']),
  part('store', ['stream']),
  {
    appliesTo: isUnder('runtime/execution', 'runtime/observe'),
    forbids: ({ target }, path) =>
      isUnder('runtime/cli')(target) || (isUnder('runtime/testing')(target) && !isTest(path)),
    rule: 'execution and observe import neither cli nor (but for tests) testing',
  },
  {
    appliesTo: isUnder('runtime/testing'),
    forbids: ({ target }) => isUnder('runtime/cli')(target),
    rule: 'runtime/testing does not import cli',
  },
  {
    appliesTo: isUnder('dashboards'),
    forbids: ({ target, isPackage }, path) =>
      !isPackage &&
      !isTest(path) &&
      !isUnder(
        'dashboards',
        'runtime/boards',
        'runtime/store',
        'runtime/topology',
        'runtime/observe/history',
      )(target) &&
      !isRuntimeBase(target) &&
      target !== 'catalogue.ts',
    rule: 'dashboards import what shows boards, the store, the loader of topologies, the tables of the engine and the base files of the runtime; nothing of how it runs',
  },
  onlyIn(['dashboards'], ['@grafana', 'ts-json-schema-generator'], 'only dashboards imports a Grafana package'),
  onlyIn(
    ['runtime/bus', 'connectors/nats', 'bench'],
    ['@nats-io', 'nats'],
    'only runtime/bus (and connectors/nats, and the bench) imports a NATS package',
  ),
  onlyIn(
    ['runtime/store', 'bench'],
    ['@clickhouse', 'chdb', '@chdb'],
    'only runtime/store (and the bench) imports a ClickHouse package',
  ),
];

interface Node {
  readonly type: string;
  readonly start: number;
  readonly source?: { readonly value?: unknown } | null;
  readonly importKind?: string;
  readonly exportKind?: string;
  readonly specifiers?: readonly { readonly importKind?: string; readonly exportKind?: string }[];
}

const importingNodes = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]);

function isTypeOnly(node: Node): boolean {
  if (node.type === 'TSImportType' || node.importKind === 'type' || node.exportKind === 'type') return true;
  const specifiers = node.specifiers ?? [];
  return specifiers.length > 0 && specifiers.every((one) => one.importKind === 'type' || one.exportKind === 'type');
}

function* importingNodesOf(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const item of value) yield* importingNodesOf(item);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value && importingNodes.has(String(value.type))) yield value as Node;
  for (const child of Object.values(value)) yield* importingNodesOf(child);
}

/** Every import of a file: static, re-exported, dynamic (of a literal) and in types. Throws when it does not parse. */
export function findImports({ path, text }: SourceFile): Import[] {
  const program = parseAst(text, { lang: path.endsWith('.ts') ? 'ts' : 'js' });
  const imports: Import[] = [];
  for (const node of importingNodesOf(program.body)) {
    const written = node.source?.value;
    if (typeof written !== 'string') continue;
    const isPackage = !written.startsWith('.');
    imports.push({
      target: isPackage ? written : normalize(join(dirname(path), written)),
      isPackage,
      isTypeOnly: isTypeOnly(node),
      line: text.slice(0, node.start).split('\n').length,
    });
  }
  return imports;
}

/** The walls that a file breaks, a line each: `path:line  imports X: the rule`. */
export function checkImports(file: SourceFile): string[] {
  const rules = walls.filter((wall) => wall.appliesTo(file.path));
  return findImports(file).flatMap((used) =>
    rules
      .filter((wall) => wall.forbids(used, file.path))
      .map((wall) => `${file.path}:${used.line}  imports ${used.target}, but ${wall.rule}`),
  );
}
