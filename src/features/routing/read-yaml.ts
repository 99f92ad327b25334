/** YAML with positions: the plain value, and the line on which any part of it was written. */
import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { OperatorError } from '../../errors.ts';

/** Leads into a document: keys of maps, indices of lists. */
export type YamlPath = readonly PropertyKey[];

export interface YamlFile {
  readonly value: unknown;
  /** One-based; of the deepest part of the path that exists. */
  readonly lineOf: (at: YamlPath) => number;
}

/** Reads a document, an empty one as an empty map. Throws `CONFIG` with file and line where it is no YAML. */
export function readYaml(path: string, text: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined) throw catalogError(path, lines.linePos(broken.pos[0]).line, [broken.message]);
  return { value: expand(path, document) ?? {}, lineOf };

  function lineOf(at: YamlPath): number {
    let node: Node | null = document.contents;
    let offset = node?.range?.[0] ?? 0;
    for (const key of at) {
      const [found, start]: readonly [Node | null, number | undefined] = step(node, key);
      if (start === undefined) break;
      node = found;
      offset = start;
    }
    return lines.linePos(offset).line;
  }
}

/** An error that names the file and the line, with what was found there. */
export function catalogError(path: string, line: number, parts: readonly string[]): OperatorError {
  return new OperatorError('CONFIG', `${path}:${line}: ${parts.join(': ')}`);
}

/** The plain value; aliases that expand without end are refused. */
function expand(path: string, document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw catalogError(path, 1, [error instanceof Error ? error.message : String(error)]);
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
