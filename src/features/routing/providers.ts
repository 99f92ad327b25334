/** Providers, ready to be used: the two built-in ones, and one for each entry of the catalogs. */
import type { Provider } from '../../core/types.ts';
import { type BaseUrl, parseBaseUrl } from '../../protocol/base-url.ts';
import { ZAI_OFFLOAD } from '../../protocol/license.ts';
import type { HeaderMode } from '../../protocol/usage-event.ts';
import type { CatalogEntry } from './catalog.ts';

/** The value of a variable that holds a key; null where it is not set. */
export type KeyOf = (variable: string) => string | null;

/** Anthropic, with the client's own credentials: no catalog can change it. */
export function anthProvider(baseUrl: string, forceH1: boolean): Provider {
  return {
    id: 'anth',
    lane: 'anthropic',
    ...split(baseUrl),
    auth: { kind: 'client' },
    dropHeaders: [],
    rewriteModel: new Map(),
    h2: !forceH1,
    feature: null,
    fallback: [],
  };
}

export interface ZaiOptions {
  readonly baseUrl: string;
  readonly headerMode: HeaderMode;
  readonly forceH1: boolean;
}

/** Z.AI; it falls back to Anthropic. */
export function zaiProvider({ baseUrl, headerMode, forceH1 }: ZaiOptions, keyOf: KeyOf): Provider {
  return {
    id: 'zai',
    lane: 'zai',
    ...split(baseUrl),
    auth: { kind: 'key', headerMode, env: 'ZAI_API_KEY', key: keyOf('ZAI_API_KEY') },
    dropHeaders: [],
    rewriteModel: new Map(),
    h2: !forceH1,
    feature: ZAI_OFFLOAD,
    fallback: ['anth'],
  };
}

export function catalogProvider(entry: CatalogEntry, forceH1: boolean, keyOf: KeyOf): Provider {
  const { id, lane = id, auth } = entry;
  return {
    id,
    lane,
    ...split(entry.base_url),
    auth: { kind: 'key', headerMode: auth.header_mode, env: auth.env, key: keyOf(auth.env) },
    dropHeaders: entry.drop_headers,
    rewriteModel: new Map(Object.entries(entry.rewrite_model)),
    h2: entry.h2 && !forceH1,
    feature: entry.feature,
    fallback: entry.fallback,
  };
}

function split(baseUrl: string): BaseUrl {
  const parsed = parseBaseUrl(baseUrl);
  if (parsed === null) throw new TypeError(`not a base URL: ${baseUrl}`);
  return parsed;
}
