/** Every setting of `ccp`, declared once; `docs/settings.md` is made from this. */
import { z } from 'zod';
import { POLICY_KEY_ALLOWED, parsePolicyKey } from '../features/policy/keys.ts';
import { REROUTE_MODES } from '../features/quota/quota.ts';
import { BASE_URL_ALLOWED, parseBaseUrl } from '../protocol/base-url.ts';
import { logsDir, resultsDir, zaiApiKey } from './common-declarations.ts';
import {
  credential,
  days,
  duration,
  durationOrNone,
  flag,
  host,
  type Kind,
  listOf,
  oneOf,
  path,
  port,
  size,
  text,
} from './kinds.ts';
import { licenseOrPath, publicKeyList, signatureOrPath } from './license-kinds.ts';
import { setting } from './setting.ts';

const baseUrl: Kind<string> = {
  name: 'URL',
  allowed: BASE_URL_ALLOWED,
  schema: z.string().refine((value) => parseBaseUrl(value) !== null),
};

const policyUrl: Kind<string> = {
  name: 'URL',
  allowed: `${BASE_URL_ALLOWED}, and name a file`,
  schema: z.string().refine((value) => (parseBaseUrl(value)?.basePath ?? '') !== '' && !value.endsWith('/')),
};

/** A public key is 44 characters: no path that anybody would choose. */
const publicKey: Kind<string> = {
  name: 'key or path',
  allowed: `${POLICY_KEY_ALLOWED}, or the path of a file that holds it`,
  schema: path.schema,
  finish: (value, place) => (parsePolicyKey(value) === null ? (path.finish?.(value, place) ?? value) : value),
  // A seed looks the same, and may have been put there.
  show: (value) => (parsePolicyKey(value) === null ? value : '(a key)'),
};

export const CCP_DECLARATIONS = {
  port: setting(port, {
    env: ['CCP_PORT', 'PORT', 'MITM_PORT'],
    environmentOnly: ['PORT'],
    flag: '--port',
    default: '8082',
    trust: 'cwd',
    help: 'Port of the listener.',
  }),
  host: setting(host, {
    env: ['CCP_HOST'],
    flag: '--host',
    default: '127.0.0.1',
    help: 'Address of the listener; one that is not loopback is refused unless CCP_CLIENT_TOKEN is set.',
  }),
  profile: setting(oneOf('dev', 'prod'), {
    env: ['CCP_PROFILE'],
    help: 'Separate port, logs and state: dev (port 8182, logs/dev) or prod (port 8082, logs in the state folder).',
  }),
  logsDir,
  resultsDir,
  anthropicBaseUrl: setting(baseUrl, {
    env: ['CCP_ANTHROPIC_BASE_URL'],
    default: 'https://api.anthropic.com',
    help: 'Upstream of the anthropic lane. ANTHROPIC_BASE_URL is never read: it points at the proxy.',
  }),
  zaiBaseUrl: setting(baseUrl, {
    env: ['CCP_ZAI_BASE_URL'],
    default: 'https://api.z.ai/api/anthropic',
    help: 'Upstream of the zai lane.',
  }),
  upstreamCa: setting(path, {
    env: ['CCP_UPSTREAM_CA'],
    help: 'PEM file of one more authority for upstream certificates; they are always verified.',
  }),
  zaiHeaderMode: setting(oneOf('x-api-key', 'authorization'), {
    env: ['ZAI_HEADER_MODE'],
    default: 'x-api-key',
    help: 'Header that carries the Z.AI key.',
  }),
  forceHaikuToZai: setting(flag, {
    env: ['FORCE_HAIKU_TO_ZAI'],
    default: '1',
    help: 'Whether models named haiku go to Z.AI where nothing else routes them.',
  }),
  offloadPaused: setting(flag, {
    env: ['OFFLOAD_PAUSED'],
    default: '0',
    help: 'Starts paused: everything goes to Anthropic until "ccp offload resume".',
  }),
  forceH1: setting(flag, {
    env: ['MITM_FORCE_H1', 'CCP_FORCE_H1'],
    default: '0',
    trust: 'cwd',
    help: 'HTTP/1.1 to the upstreams even where they offer HTTP/2.',
  }),
  enableBackoff: setting(flag, {
    env: ['MITM_ENABLE_BACKOFF'],
    default: '0',
    trust: 'cwd',
    help: 'On 429 and 503, waits out a stated retry-after of at most 10 s once, before any fallback.',
  }),
  filterChain: setting(text, {
    env: ['MITM_FILTER_CHAIN'],
    trust: 'cwd',
    help: 'Obsolete, accepted and without effect.',
  }),
  fallback: setting(listOf('auth', 'limit', 'overload', 'net'), {
    env: ['CCP_FALLBACK'],
    default: 'auth,limit,overload,net',
    help: 'Failures for which an exchange is tried once more on the fallback of its lane.',
  }),
  providersFile: setting(path, {
    env: ['CCP_PROVIDERS_FILE'],
    flag: '--providers',
    help: 'The provider catalog, instead of configs/providers.yaml and the one in the user folder.',
  }),
  quotasFile: setting(path, {
    env: ['CCP_QUOTAS_FILE'],
    flag: '--quotas',
    help: 'The quota file, instead of configs/quotas.json and the one in the user folder.',
  }),
  rerouteMode: setting(oneOf(...REROUTE_MODES), {
    env: ['CCP_REROUTE_MODE'],
    default: 'block',
    help: 'At a quota: off only counts, block goes elsewhere, hybrid runs into the real limit and then goes elsewhere.',
  }),
  policyUrl: setting(policyUrl, {
    env: ['CCP_POLICY_URL'],
    flag: '--policy-url',
    help: 'Where a signed policy pack is published; its signature lies beside it, with .sig at the end.',
  }),
  policyPubkey: setting(publicKey, {
    env: ['CCP_POLICY_PUBKEY'],
    flag: '--policy-pubkey',
    help: 'The public key by which policy packs are verified: a file, or the key itself.',
  }),
  policyRefresh: setting(duration, {
    env: ['CCP_POLICY_REFRESH'],
    default: '5m',
    help: 'Time between two questions for a new policy pack.',
  }),
  model: setting(text, {
    env: ['CCP_MODEL'],
    help: 'Routes every request as if it named this model; wins over the model file.',
  }),
  licenseJson: setting(licenseOrPath, {
    env: ['CC_LICENSE_JSON'],
    flag: '--license-json',
    help: 'The licence, or the file that holds it; its signature is in CC_LICENSE_SIG.',
  }),
  licenseSig: setting(signatureOrPath, {
    env: ['CC_LICENSE_SIG'],
    flag: '--license-sig',
    help: 'The signature of CC_LICENSE_JSON in base64, or the file that holds it.',
  }),
  licensePack: setting(licenseOrPath, {
    env: ['CC_LICENSE_PACK'],
    flag: '--license-pack',
    help: 'A licence with its signature, or the file that holds it, instead of the stored one.',
  }),
  licensePubkeys: setting(publicKeyList, {
    env: ['CCP_LICENSE_PUBKEY_B64'],
    help: 'Public keys of licence issuers, besides those that ccp was shipped with.',
  }),
  licenseIssuer: setting(baseUrl, {
    env: ['CCP_LICENSE_ISSUER'],
    flag: '--issuer',
    default: 'http://127.0.0.1:8787',
    help: 'Issuer that "ccp license login" asks for a licence.',
  }),
  jsonTimeout: setting(durationOrNone, {
    env: ['CCP_JSON_TIMEOUT'],
    default: '10m',
    trust: 'cwd',
    help: 'Limit of a whole answer that is not a stream.',
  }),
  sseIdleTimeout: setting(duration, {
    env: ['CCP_SSE_IDLE_TIMEOUT'],
    default: '120s',
    trust: 'cwd',
    help: 'Longest silence inside a stream.',
  }),
  dialTimeout: setting(duration, {
    env: ['CCP_DIAL_TIMEOUT'],
    default: '5s',
    trust: 'cwd',
    help: 'Limit of a TCP connection, name resolution included.',
  }),
  dialKeepalive: setting(duration, {
    env: ['CCP_DIAL_KEEPALIVE'],
    default: '30s',
    trust: 'cwd',
    help: 'Idle time before TCP keep-alive probes.',
  }),
  tlsTimeout: setting(duration, {
    env: ['CCP_TLS_TIMEOUT'],
    default: '5s',
    trust: 'cwd',
    help: 'Limit of a TLS handshake.',
  }),
  headerTimeout: setting(duration, {
    env: ['CCP_HEADER_TIMEOUT'],
    default: '10m',
    trust: 'cwd',
    help: 'Limit until the first byte of an answer; a model may think for minutes.',
  }),
  maxBody: setting(size, {
    env: ['CCP_MAX_BODY'],
    default: '64MiB',
    help: 'Largest body of /v1/messages and count_tokens, which are buffered; beyond it 413.',
  }),
  maxLogBytes: setting(size, {
    env: ['MAX_LOG_BYTES'],
    default: '5MiB',
    help: 'Size at which usage.jsonl is rotated; five copies are kept.',
  }),
  logMaxAge: setting(duration, {
    env: ['CCP_LOG_MAX_AGE'],
    default: '24h',
    help: 'Age at which usage.jsonl is rotated.',
  }),
  pricesFile: setting(path, {
    env: ['CCP_PRICES_FILE'],
    help: 'Prices that go before the ones ccp knows, instead of prices.json in the user folder.',
  }),
  devEnable: setting(flag, {
    env: ['CCP_DEV_ENABLE'],
    default: '0',
    help: 'Lets POST /v1/dev/sim-usage make up exchanges, which are recorded and counted like real ones.',
  }),
  persist: setting(flag, {
    env: ['CCP_PERSIST'],
    default: '1',
    help: 'Whether exchanges are kept in the store; 0: usage counts nothing, quotas only this run, the log goes on.',
  }),
  dbPath: setting(path, {
    env: ['CCP_DB_PATH'],
    help: 'The file of the store; unset: ccp.sqlite3 in the logs folder.',
  }),
  rollupInterval: setting(duration, {
    env: ['CCP_ROLLUP_INTERVAL'],
    default: '5m',
    help: 'Time between two rounds of adding samples up to hours and days, and of deleting old ones.',
  }),
  sampleTtlDays: setting(days, {
    env: ['CCP_SAMPLE_TTL_DAYS'],
    default: '7',
    help: 'Days that single exchanges are kept in the store; hours are for 400, days for good. Weekly quotas need 7.',
  }),
};

/** The credentials among the variables: loaded as `Secrets`, never as settings. */
export const CCP_SECRETS = {
  clientToken: setting(credential, {
    env: ['CCP_CLIENT_TOKEN'],
    help: 'What clients must send as x-ccp-token when the listener is not on loopback.',
  }),
  zaiApiKey,
  policySeed: setting(credential, {
    env: ['CCP_POLICY_SEED'],
    help: 'The secret seed by which "ccp policy sign" signs; needed nowhere else.',
  }),
  issuerSeed: setting(credential, {
    env: ['CCP_ISSUER_SEED'],
    help: 'Signing seed of "ccp issuer", as KID=BASE64; better kept in a file: --seed-file.',
  }),
};

/** What a profile puts in place of the defaults. */
export const PROFILE_DEFAULTS = {
  dev: { port: '8182', logsDir: 'logs/dev' },
  prod: { port: '8082', logsDir: null },
} as const;
