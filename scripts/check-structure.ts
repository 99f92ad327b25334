/**
 * Holds the import direction of the architecture: reads every import of `src` and `suites` (static,
 * re-exported, dynamic, type-only, and files started by URL) and compares it with what its room may use.
 * `node scripts/check-structure.ts [ROOT]` prints the violations and exits 1 if there are any.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Node, parseSync, Visitor } from 'oxc-parser';

/** What a room may import: a bare name with values, `type name` with types only. `features/*` is each feature. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  platform: ['errors.ts'],
  protocol: ['errors.ts'],
  core: ['errors.ts', 'protocol', 'platform'],
  'features/*': ['errors.ts', 'type core', 'protocol', 'platform'],
  // Observes exchanges, and keeps what the protocol's words of the meter say.
  store: ['errors.ts', 'type core', 'protocol', 'platform'],
  // Hands out licences and asks for one; the proxy knows nothing of it: docs/decisions says why.
  issuer: ['errors.ts', 'protocol', 'platform'],
  // Opens what the settings name, for the proxy and for the commands that only look: features, and the store.
  config: ['errors.ts', 'protocol', 'type platform', 'features/*', 'store'],
  'ccp.ts': ['errors.ts', 'platform', 'protocol', 'config', 'core', 'features/*', 'store'],
  analysis: ['errors.ts', 'type protocol'],
  harness: ['errors.ts', 'type protocol', 'platform'],
  runs: ['errors.ts', 'type protocol', 'harness', 'analysis', 'platform'],
  'ccp-uat.ts': ['errors.ts', 'config', 'platform', 'harness', 'analysis', 'runs', 'suites'],
  // `verify` audits the live log with the analyzer of the harness: docs/decisions says why.
  'commands/ccp': ['errors.ts', 'ccp.ts', 'config', 'issuer', 'commands/shared', 'analysis'],
  'commands/uat': ['errors.ts', 'ccp-uat.ts', 'config', 'commands/shared'],
  'commands/shared': ['errors.ts', 'platform'],
  suites: ['type runs', 'type analysis', 'type protocol'],
};

/** One use of another module, as written. */
export interface Use {
  /** Relative to the root, with forward slashes, e.g. `src/core/relay.ts`. */
  readonly file: string;
  readonly line: number;
  /** The file meant, relative to the root; null where the source computes the name. */
  readonly target: string | null;
  readonly typeOnly: boolean;
}

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/**
 * Reads the modules under `root` and judges their imports. Throws where there is nothing to judge, so that
 * a moved folder can't pass as a clean one.
 */
export function checkStructure(root: string): { modules: number; uses: number; violations: Violation[] } {
  const files = ['src', 'suites'].flatMap((folder) => listModules(root, folder));
  if (!files.some((file) => file.startsWith('src/'))) throw new Error(`no module found under ${root}/src`);
  const uses = files.flatMap((file) => readUses(file, readFileSync(join(root, file), 'utf8')));
  if (uses.length === 0)
    throw new Error(`${files.length} modules under ${root} and not one import between them`);
  const homeless = files.filter((file) => roomOf(file) === null).map(withoutRoom);
  return { modules: files.length, uses: uses.length, violations: [...homeless, ...uses.flatMap(judge)] };
}

/** The verdict on one use; exported for its tests. */
export function judge(use: Use): Violation[] {
  const { file, line, target, typeOnly } = use;
  if (target === null) return [{ file, line, rule: 'imports a computed name, which no check can follow' }];
  const from = roomOf(file);
  const to = roomOf(target);
  // A file outside the rooms is reported once, by itself; a test may use whatever its room may and its own kind.
  if (from === null || from === to) return [];
  if (to === null) return [{ file, line, rule: `imports ${target}, which lies in no room` }];
  const allowed = ROOMS[roomKey(from)] ?? [];
  if (allowed.includes(roomKey(to))) return [];
  if (allowed.includes(`type ${roomKey(to)}`)) {
    return typeOnly
      ? []
      : [{ file, line, rule: `${from} may import only types of ${to}, and imports ${target}` }];
  }
  return [{ file, line, rule: `${from} may not import ${to} (${target}); allowed: ${allowed.join(', ')}` }];
}

/** The room a file belongs to, e.g. `core`, `features/routing`, `ccp.ts`; null for a file outside the listed ones. */
function roomOf(file: string): string | null {
  const [top, first = '', second] = file.replace(/\.test\.ts$/, '.ts').split('/');
  const room =
    top === 'suites' ? 'suites' : top !== 'src' ? null : nested(first) ? `${first}/${second}` : first;
  return room !== null && Object.hasOwn(ROOMS, roomKey(room)) ? room : null;
}

const nested = (name: string): boolean => name === 'features' || name === 'commands';

const roomKey = (room: string): string => (room.startsWith('features/') ? 'features/*' : room);

const withoutRoom = (file: string): Violation => ({ file, line: 1, rule: 'lies in no listed room of src' });

function listModules(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .toSorted();
}

/** Every use of a module of ours in one source text; exported for its tests. Throws on what does not parse. */
export function readUses(file: string, text: string): Use[] {
  const { program, errors } = parseSync(file, text);
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`);
  const uses: Use[] = [];
  const add = (node: Node, source: Node | null, typeOnly: boolean): void => {
    if (source === null) return;
    const target = source.type === 'Literal' ? ownTarget(file, String(source.value)) : null;
    if (target !== undefined) uses.push({ file, line: lineAt(text, node.start), target, typeOnly });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node, node.source, node.importKind === 'type'),
    ExportNamedDeclaration: (node) => add(node, node.source, node.exportKind === 'type'),
    ExportAllDeclaration: (node) => add(node, node.source, node.exportKind === 'type'),
    ImportExpression: (node) => add(node, node.source, false),
    TSImportType: (node) => add(node, node.source, true),
    NewExpression: (node) => {
      const [path] = node.arguments;
      const isUrl = node.callee.type === 'Identifier' && node.callee.name === 'URL';
      const isModule = path?.type === 'Literal' && /^\.{1,2}\/.*\.ts$/.test(String(path.value));
      if (isUrl && isModule) add(node, path, false);
    },
  }).visit(program);
  return uses;
}

/** The file of ours that a specifier means; undefined for a package or a module of Node. */
function ownTarget(file: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(dirname(file), specifier) : undefined;
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

function main(root: string): number {
  const { modules, uses, violations } = checkStructure(root);
  for (const { file, line, rule } of violations) process.stdout.write(`${file}:${line}: ${rule}\n`);
  process.stdout.write(`${modules} modules, ${uses} imports, ${violations.length} violations\n`);
  return violations.length === 0 ? 0 : 1;
}

if (import.meta.main)
  process.exitCode = main(resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url))));
