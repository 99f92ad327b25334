/** Provider catalogs: YAML text to checked entries, and what is wrong with one by file, line and entry. */
import { z } from 'zod';
import { BASE_URL_ALLOWED, parseBaseUrl } from '../../protocol/base-url.ts';
import { judgeBySchema, placeName, type Trouble } from '../../protocol/schema-trouble.ts';
import { HEADER_MODES } from '../../protocol/usage-event.ts';
import { catalogError, readYaml, type YamlPath } from './read-yaml.ts';

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'must be up to 32 lower-case letters, digits, "-" and "_"');
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');
const glob = z.string().min(1).max(200);
const modelName = z.string().min(1).max(200);
const headerName = z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'must be the name of a header');
const routeMap = z.record(glob, name);

const entrySchema = z.strictObject({
  id: name,
  lane: name.optional(),
  base_url: z.string().refine((text) => parseBaseUrl(text) !== null, `must be ${BASE_URL_ALLOWED}`),
  auth: z.strictObject({ env: variable, header_mode: z.enum(HEADER_MODES).default('x-api-key') }),
  models: z.array(glob).default([]),
  routes: routeMap.default({}),
  fallback: z.array(name).default([]),
  drop_headers: z.array(headerName.transform((text) => text.toLowerCase())).default([]),
  rewrite_model: z.record(modelName, modelName).default({}),
  feature: name.nullable().default(null),
  h2: z.boolean().default(true),
});

const catalogSchema = z.strictObject({
  providers: z.array(entrySchema).default([]),
  routes: routeMap.default({}),
});

export type CatalogEntry = z.infer<typeof entrySchema>;

/** What one catalog file says. */
export interface Catalog {
  readonly path: string;
  readonly entries: readonly CatalogEntry[];
  /** In the order in which they are tried: first those under `routes`, then the `models` of the entries. */
  readonly routes: readonly CatalogRoute[];
}

export interface CatalogRoute {
  readonly glob: string;
  /** Id of a provider. */
  readonly provider: string;
}

/** What a catalog may refer to without declaring it. */
export interface Surroundings {
  /** Ids of providers from elsewhere: the built-in ones, and those of catalogs that come later. */
  readonly known: ReadonlySet<string>;
  /** Whether a variable that holds a key is set. */
  readonly hasKey: (variable: string) => boolean;
}

/** No entry may take these over: the rules about credentials rest on them. */
const RESERVED_IDS: ReadonlySet<string> = new Set(['anth', 'zai']);
/** Those of Anthropic, and of what is refused before it has a lane. */
const RESERVED_LANES: ReadonlySet<string> = new Set(['anthropic', 'none']);

/** Says what is wrong with the value at a path of the file. */
type Fail = (at: YamlPath, problem: string) => never;

/** Reads a catalog. Throws `CONFIG` with file, line, column and entry for the first thing that is wrong. */
export function parseCatalog(path: string, bytes: Uint8Array, { known, hasKey }: Surroundings): Catalog {
  const { value, positionOf } = readYaml(path, bytes);
  const fail: Fail = (at, problem) => {
    throw catalogError(path, positionOf(at), [entryOf(value, at), problem]);
  };
  const judged = judgeBySchema(catalogSchema, value);
  if (!judged.ok) return failOn(judged.trouble, fail);
  const { providers: entries } = judged.value;
  for (const [index, entry] of entries.entries()) checkEntry(entry, index, entries, hasKey, fail);
  return { path, entries, routes: collectRoutes(judged.value, known, fail) };
}

function failOn({ at, what }: Trouble, fail: Fail): never {
  const place = placeName(at.slice(typeof at[1] === 'number' ? 2 : 1));
  return fail(at, place === '' ? what : `${place}: ${what}`);
}

function checkEntry(
  { id, lane, auth, fallback }: CatalogEntry,
  index: number,
  entries: readonly CatalogEntry[],
  hasKey: Surroundings['hasKey'],
  fail: Fail,
): void {
  const at = ['providers', index];
  if (RESERVED_IDS.has(id)) fail([...at, 'id'], `the id "${id}" is reserved for the built-in provider`);
  if (entries.findIndex((entry) => entry.id === id) !== index) fail([...at, 'id'], `the id "${id}" is taken`);
  if (RESERVED_LANES.has(lane ?? id)) {
    fail([...at, lane === undefined ? 'id' : 'lane'], `the lane "${lane ?? id}" is reserved`);
  }
  if (fallback.includes(id)) fail([...at, 'fallback'], 'a provider cannot be its own fallback');
  if (!hasKey(auth.env)) fail([...at, 'auth', 'env'], `the variable ${auth.env} is not set`);
}

/** All routes in the order in which they are tried; every provider that is named must exist. */
function collectRoutes(
  { providers, routes }: z.infer<typeof catalogSchema>,
  known: ReadonlySet<string>,
  fail: Fail,
): CatalogRoute[] {
  const ids = new Set([...known, ...providers.map(({ id }) => id)]);
  const table = new Map<string, CatalogRoute>();
  const refer = (provider: string, at: YamlPath): void => {
    if (!ids.has(provider)) fail(at, `there is no provider "${provider}"`);
  };
  const add = (pattern: string, provider: string, at: YamlPath): void => {
    refer(provider, at);
    const key = pattern.toLowerCase();
    const taken = table.get(key)?.provider ?? provider;
    if (taken !== provider) fail(at, `"${pattern}" leads to both "${taken}" and "${provider}"`);
    table.set(key, { glob: pattern, provider });
  };

  for (const [pattern, provider] of Object.entries(routes)) add(pattern, provider, ['routes', pattern]);
  for (const [index, entry] of providers.entries()) {
    const at = ['providers', index];
    for (const [pattern, provider] of Object.entries(entry.routes)) {
      add(pattern, provider, [...at, 'routes', pattern]);
    }
    for (const [place, id] of entry.fallback.entries()) refer(id, [...at, 'fallback', place]);
  }
  for (const [index, { id, models }] of providers.entries()) {
    for (const [place, pattern] of models.entries()) add(pattern, id, ['providers', index, 'models', place]);
  }
  return [...table.values()];
}

/** The entry that a path leads into, as a person would name it. */
function entryOf(value: unknown, [section, key]: YamlPath): string {
  if (section !== 'providers' || typeof key !== 'number') return String(section ?? 'catalog');
  const named = z.object({ providers: z.array(z.unknown()) }).safeParse(value).data?.providers[key];
  const { data } = z.object({ id: z.string() }).safeParse(named);
  return data === undefined ? `provider ${key + 1}` : `provider "${data.id}"`;
}
