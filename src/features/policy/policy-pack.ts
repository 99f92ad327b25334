/** Policy packs: what one may say, and what is wrong with one by the place in it. */
import { z } from 'zod';
import { BASE_URL_ALLOWED, parseBaseUrl } from '../../protocol/base-url.ts';
import { judgeBySchema, placeName, type Trouble } from '../../protocol/schema-trouble.ts';
import { positionText, problemWithPlace, readStrictJson } from '../../protocol/strict-json.ts';
import { positionIn } from '../../protocol/written-json.ts';
import { type Judged, type Refusal, refuse } from './reasons.ts';

/** A pack is written by hand or by a small script; what is larger is something else. In bytes. */
export const MAX_POLICY_BYTES = 1024 * 1024;

const provider = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,31}$/,
    'must be the id of a provider: lower-case letters, digits, "-" and "_"',
  );
const glob = z
  .string()
  .min(1)
  .max(200)
  // Objects put such names first, whatever the order in the text: then "first match wins" would be wrong.
  .refine((text) => !/^\d+$/.test(text), 'must not be a number: put a "*" before or after it');
const time = z.iso
  .datetime('must be a time in UTC like 2026-01-31T12:00:00Z')
  .transform((text) => Date.parse(text));

const packSchema = z
  .strictObject({
    version: z.int().positive(),
    issued_at: time,
    expires_at: time,
    routes: z.record(glob, provider).default({}),
    upstreams: z
      .record(
        // Anthropic is where everything falls back to, and where the client's own credentials go.
        provider.refine((id) => id !== 'anth', 'is Anthropic, which no policy can move'),
        z.string().refine((text) => parseBaseUrl(text) !== null, `must be ${BASE_URL_ALLOWED}`),
      )
      .default({}),
  })
  .refine((pack) => pack.expires_at > pack.issued_at, {
    path: ['expires_at'],
    error: 'must be after issued_at',
  });

/** What a pack says; times in epoch milliseconds. */
export interface PolicyPack {
  readonly version: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** In the order in which they are tried. */
  readonly routes: readonly { readonly glob: string; readonly provider: string }[];
  /** Id of a provider → the base URL that it gets. */
  readonly upstreams: ReadonlyMap<string, string>;
}

/** Reads the text of a pack; says nothing about who signed it and whether its time has come. */
export function readPolicyPack(bytes: Uint8Array): Judged<PolicyPack> {
  if (bytes.length > MAX_POLICY_BYTES) {
    return refuse('too_large', `the pack has ${bytes.length} bytes`);
  }
  const json = readStrictJson(bytes);
  if (!json.ok) return refuse('not_json', `the pack ${problemWithPlace(json)}`);
  const malformed = (trouble: Trouble): Refusal => refuse('malformed', placed(bytes, trouble));
  const judged = judgeBySchema(packSchema, json.value);
  if (!judged.ok) return malformed(judged.trouble);
  const { version, issued_at, expires_at, routes, upstreams } = judged.value;
  const value = {
    version,
    issuedAt: issued_at,
    expiresAt: expires_at,
    routes: Object.entries(routes).map(([pattern, id]) => ({ glob: pattern, provider: id })),
    upstreams: new Map(Object.entries(upstreams)),
  };
  const twice = sameGlob(value.routes);
  return twice === null
    ? { ok: true, value }
    : malformed({ at: ['routes', twice], what: 'stands there twice, in other case' });
}

/** Case does not matter in a glob: of two spellings one would never be tried. */
function sameGlob(routes: PolicyPack['routes']): string | null {
  const seen = new Set<string>();
  for (const { glob: pattern } of routes) {
    if (seen.has(pattern.toLowerCase())) return pattern;
    seen.add(pattern.toLowerCase());
  }
  return null;
}

const placed = (bytes: Uint8Array, { at, what }: Trouble): string =>
  `${placeName(at) || 'the pack'}: ${what} (${positionText(positionIn(Buffer.from(bytes).toString(), at))})`;
