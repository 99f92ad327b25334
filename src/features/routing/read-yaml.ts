/** YAML with positions: the plain value, and the line on which any part of it was written. */
import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { OperatorError } from '../../errors.ts';
import type { Position } from '../../protocol/strict-json.ts';
import { decodeUtf8 } from '../../protocol/utf8.ts';

/** Leads into a document: keys of maps, indices of lists. */
export type YamlPath = readonly PropertyKey[];

export interface YamlFile {
  readonly value: unknown;
  /** Of the deepest part of the path that exists. */
  readonly positionOf: (at: YamlPath) => Position;
}

/** Reads a document, an empty one as an empty map. Throws `CONFIG` with file and line where it is no YAML in UTF-8. */
export function readYaml(path: string, bytes: Uint8Array): YamlFile {
  const text = decodeUtf8(bytes);
  if (text === null) throw catalogError(path, { line: 1, column: 1 }, ['it is not UTF-8']);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined)
    throw catalogError(path, positionAt(broken.pos[0]), [`it is no YAML: ${broken.message}`]);
  return { value: expand(path, document) ?? {}, positionOf };

  function positionOf(at: YamlPath): Position {
    let node: Node | null = document.contents;
    let offset = node?.range?.[0] ?? 0;
    for (const key of at) {
      const [found, start]: readonly [Node | null, number | undefined] = step(node, key);
      if (start === undefined) break;
      node = found;
      offset = start;
    }
    return positionAt(offset);
  }

  function positionAt(offset: number): Position {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  }
}

/** An error that names the file and the place, with what was found there. */
export function catalogError(
  path: string,
  { line, column }: Position,
  parts: readonly string[],
): OperatorError {
  return new OperatorError('CONFIG', `${path}:${line}:${column}: ${parts.join(': ')}`, { hint: REMEDY });
}

const REMEDY = 'Correct it; docs/configuration.md describes every field of a catalog.';

/** The plain value; aliases that expand without end are refused. */
function expand(path: string, document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw catalogError(path, { line: 1, column: 1 }, [
      error instanceof Error ? error.message : String(error),
    ]);
  }
}

/** One step down, and the offset at which that part starts: a map's entry starts with its key. */
function step(node: Node | null, key: PropertyKey): readonly [Node | null, number | undefined] {
  if (isSeq<Node>(node)) {
    const item = node.items[Number(key)];
    return [item ?? null, item?.range?.[0]];
  }
  if (!isMap(node)) return [null, undefined];
  const pair = node.items.find((item): item is Pair<Node, Node | null> => {
    return isScalar(item.key) && String(item.key.value) === String(key);
  });
  return [pair?.value ?? null, pair?.key.range?.[0]];
}
