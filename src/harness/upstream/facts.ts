/** What the mock has to know of a request to choose and to answer. */
import type { HeaderPairs } from '../../protocol/transcript.ts';

export interface RequestFacts {
  readonly method: string;
  /** Without the query string. */
  readonly path: string;
  readonly headers: HeaderPairs;
  readonly body: Buffer;
  /** First value of a header, by lower-case name. */
  header(name: string): string | undefined;
  /** Top-level `model` of a JSON body. */
  model(): string | null;
  wantsStream(): boolean;
  /** The scenario that the request itself asks for by `scenario=NAME` anywhere in its body; the last one counts. */
  marker(): string | null;
}

export function createFacts(
  method: string,
  target: string,
  headers: HeaderPairs,
  body: Buffer,
): RequestFacts {
  let parsed: { readonly value: unknown } | undefined;
  // Parsed only when somebody asks: a canned answer to a body of many megabytes needs no look inside.
  const top = (key: string): unknown => {
    parsed ??= { value: parseJson(body) };
    return isRecord(parsed.value) ? parsed.value[key] : undefined;
  };
  return {
    method,
    path: target.split('?', 1)[0] ?? target,
    headers,
    body,
    header: (name) => headers.find(([given]) => given.toLowerCase() === name)?.[1],
    model() {
      const model = top('model');
      return typeof model === 'string' ? model : null;
    },
    wantsStream: () => top('stream') === true,
    marker: () => findMarker(body),
  };
}

const MARKER = Buffer.from('scenario=');
const LONGEST_NAME = 64;

function findMarker(body: Buffer): string | null {
  const at = body.lastIndexOf(MARKER);
  if (at === -1) return null;
  const start = at + MARKER.length;
  const [name] = /^[\w-]+/.exec(body.toString('latin1', start, start + LONGEST_NAME)) ?? [];
  return name ?? null;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
