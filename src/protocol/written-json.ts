/** JSON files that an operator wrote: the value that a schema makes of one, or what is wrong by file, line and column. */
import { findNodeAtLocation, parseTree } from 'jsonc-parser';
import type { z } from 'zod';
import { OperatorError } from '../errors.ts';
import { judgeBySchema, placeName } from './schema-trouble.ts';
import { type Position, readStrictJson } from './strict-json.ts';

export interface WrittenFile<T> {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly schema: z.ZodType<T>;
  /** What to do where it is wrong, a sentence. */
  readonly remedy: string;
}

export interface WrittenJson<T> {
  readonly value: T;
  /** The error for something at a place of the file that no schema sees. */
  readonly wrong: (at: readonly PropertyKey[], what: string) => OperatorError;
}

/** Throws `CONFIG` naming file, line, column and the member that is wrong. */
export function readWrittenJson<T>({ path, bytes, schema, remedy }: WrittenFile<T>): WrittenJson<T> {
  const error = (position: Position | null, ...parts: readonly string[]): OperatorError => {
    const where = position === null ? path : `${path}:${position.line}:${position.column}`;
    return new OperatorError('CONFIG', [where, ...parts].join(': '), { hint: remedy });
  };
  const wrong = (at: readonly PropertyKey[], what: string): OperatorError =>
    error(positionIn(Buffer.from(bytes).toString(), at), placeName(at) || 'the file', what);

  const json = readStrictJson(bytes);
  if (!json.ok) throw error(json.at, `it ${json.problem}`);
  const judged = judgeBySchema(schema, json.value);
  if (!judged.ok) throw wrong(judged.trouble.at, judged.trouble.what);
  return { value: judged.value, wrong };
}

/** Where the deepest part of a place was written, a member by its name. */
export function positionIn(text: string, at: readonly PropertyKey[]): Position {
  const root = parseTree(text);
  const steps = at.map((step) => (typeof step === 'number' ? step : String(step)));
  const nodes = steps.map((_, depth) => root && findNodeAtLocation(root, steps.slice(0, depth + 1)));
  const node = nodes.findLast((one) => one !== undefined) ?? root;
  const written = node?.parent?.type === 'property' ? node.parent : node;
  const lines = text.slice(0, written?.offset ?? 0).split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
