/**
 * The tar layer of a bundle, read strictly. An archive of somebody else may surprise whoever unpacks it; so an entry
 * passes only if its header is, byte for byte, the one that we would have written for a file of that name and size.
 */
import { Header } from 'tar';
import { inflate } from './inflate.ts';
import { byPath, timeOf } from './layout.ts';
import { LIMITS, type Limits } from './limits.ts';
import { quote, type Reason, Refusal } from './refusal.ts';

export interface Entry {
  /** The one folder that everything lies in: the name of the bundle. */
  readonly root: string;
  /** Below it. */
  readonly path: string;
  readonly content: Buffer;
}

const BLOCK = 512;
/** Of an entry; what is larger would not fit into one buffer of text either. */
const LARGEST = 500 * 1024 ** 2;

/** The files of a bundle, in their order. Throws a `Refusal` at the first thing that no bundle of ours has. */
export async function* readArchive(file: string, limits: Limits = LIMITS): AsyncGenerator<Entry> {
  const stream = inflate(file, limits);
  try {
    yield* entriesIn(stream, limits);
  } catch (error) {
    // What looks like a trick may be damage, of which the check sum at the end knows.
    if (error instanceof Refusal) await drain(stream);
    throw error;
  } finally {
    await stream.return(undefined);
  }
}

async function* entriesIn(stream: AsyncGenerator<Buffer>, limits: Limits): AsyncGenerator<Entry> {
  const blocks = createBlocks(stream);
  const seen = new Seen();
  let root: string | null = null;
  for (let count = 1; ; count += 1) {
    const block = await blocks.take(BLOCK);
    if (isZero(block)) break;
    if (count > limits.entries) throw new Refusal('too_many_entries', `more than ${limits.entries}`);
    const { path, size } = readHeader(block);
    root ??= rootOf(path);
    seen.add(path);
    mustBeOurs(block, { path, size, root });
    const content = await blocks.take(size);
    const padding = await blocks.take((BLOCK - (size % BLOCK)) % BLOCK);
    if (!isZero(padding)) throw new Refusal('trailing_data', `behind the end of ${quote(path)}`);
    yield { root, path: path.slice(root.length + 1), content };
  }
  if (!isZero(await blocks.take(BLOCK))) throw new Refusal('tar_damaged', 'it ends with one empty block');
  if (blocks.rest() + (await drain(stream)) > 0)
    throw new Refusal('trailing_data', 'behind the end of the archive');
}

/** Reads on to the end; gives how many bytes that were. */
async function drain(stream: AsyncGenerator<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const piece of stream) bytes += piece.length;
  return bytes;
}

/** Takes a stream apart at any length. */
function createBlocks(stream: AsyncGenerator<Buffer>) {
  let rest: Buffer = Buffer.alloc(0);
  return {
    async take(length: number): Promise<Buffer> {
      const pieces = [rest];
      for (let have = rest.length; have < length; ) {
        const { value, done } = await stream.next();
        if (done === true) throw new Refusal('tar_damaged', 'it ends in the middle of a file');
        pieces.push(value);
        have += value.length;
      }
      const all = pieces.length === 1 ? rest : Buffer.concat(pieces);
      rest = all.subarray(length);
      return all.subarray(0, length);
    },
    /** How many bytes were taken from the stream and from nowhere else yet. */
    rest: () => rest.length,
  };
}

const isZero = (bytes: Buffer): boolean => bytes.every((byte) => byte === 0);

/** What is not a plain file, by its type flag (POSIX.1-2024, pax, ustar; the letters are GNU's). */
const KINDS: ReadonlyMap<string, Reason> = new Map([
  ['1', 'link'],
  ['2', 'link'],
  ['3', 'device'],
  ['4', 'device'],
  ['5', 'folder'],
  ['6', 'device'],
  ['S', 'sparse'],
  ['x', 'extended_header'],
  ['g', 'extended_header'],
  ['X', 'extended_header'],
  ['L', 'extended_header'],
  ['K', 'extended_header'],
  ['N', 'extended_header'],
]);

function readHeader(block: Buffer): { readonly path: string; readonly size: number } {
  const header = new Header(block, 0);
  const path = pathIn(block);
  if (!header.cksumValid) throw new Refusal('tar_damaged', `the header of ${quote(path)} has a wrong sum`);
  const flag = String.fromCharCode(block[156] ?? 0);
  if (flag !== '0')
    throw new Refusal(KINDS.get(flag) ?? 'unknown_type', `${quote(path)} is of type ${quote(flag)}`);
  mustBePlainPath(path);
  const { size } = header;
  if (size === undefined || size > LARGEST)
    throw new Refusal('too_large', `${quote(path)} has more than ${LARGEST} bytes`);
  return { path, size };
}

/** As the bytes have it: a library that reads a path for us may mend it. */
function pathIn(block: Buffer): string {
  const text = (start: number, length: number): string =>
    block.toString('latin1', start, start + length).replace(/\0.*$/s, '');
  const prefix = text(345, 155);
  return prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`;
}

function mustBePlainPath(path: string): void {
  if (/^[/\\]|^[A-Za-z]:/.test(path)) throw new Refusal('absolute_path', quote(path));
  const parts = path.split(/[/\\]/);
  if (parts.includes('..')) throw new Refusal('path_escape', quote(path));
  if (!parts.every((part) => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(part)) || path.includes('\\'))
    throw new Refusal('path_form', quote(path));
}

function rootOf(path: string): string {
  const root = path.slice(0, path.indexOf('/'));
  if (timeOf(root) === null) throw new Refusal('other_root', `${quote(path)} lies in no ccp-review-<utc>/`);
  return root;
}

/** What was met so far, so that no name can mean two files to anybody. */
class Seen {
  readonly #folded = new Map<string, string>();
  readonly #folders = new Map<string, string>();
  #last = '';

  add(path: string): void {
    const folded = path.toLowerCase();
    const before = this.#folded.get(folded);
    if (before !== undefined)
      throw new Refusal(
        before === path ? 'duplicate' : 'case_collision',
        `${quote(path)} after ${quote(before)}`,
      );
    const nested = this.#folders.get(folded) ?? foldersOf(folded).find((folder) => this.#folded.has(folder));
    if (nested !== undefined) throw new Refusal('duplicate', `${quote(path)} is a file and a folder`);
    this.#folded.set(folded, path);
    for (const folder of foldersOf(folded)) this.#folders.set(folder, path);
    if (byPath(path, this.#last) < 0)
      throw new Refusal('order', `${quote(path)} stands behind ${quote(this.#last)}`);
    this.#last = path;
  }
}

const foldersOf = (path: string): string[] =>
  path.split('/').flatMap((_, depth, parts) => (depth === 0 ? [] : [parts.slice(0, depth).join('/')]));

function mustBeOurs(
  block: Buffer,
  { path, size, root }: { readonly path: string; readonly size: number; readonly root: string },
): void {
  if (!path.startsWith(`${root}/`)) throw new Refusal('other_root', `${quote(path)} lies outside ${root}/`);
  const ours = new Header({ path, size, ...headerFor(root) });
  ours.encode();
  if (!block.equals(ours.block ?? Buffer.alloc(0))) throw new Refusal('header_form', quote(path));
}

/** What the header of each file of a bundle says beside name and size. */
export function headerFor(root: string): {
  readonly mode: number;
  readonly mtime: Date;
  readonly type: 'File';
} {
  const mtime = timeOf(root);
  if (mtime === null) throw new TypeError(`${root} is no name of a bundle`);
  return { mode: 0o644, mtime, type: 'File' };
}
