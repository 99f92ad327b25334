/** What `ccp doctor` looks at: one question a function, each giving its findings. */
import { X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { plural } from '../../analysis/plural.ts';
import { refuseOwnListener } from '../../ccp.ts';
import { CCP_DECLARATIONS, CCP_SECRETS } from '../../config/ccp-declarations.ts';
import { type LoadedCcp, loadCcpSettings } from '../../config/ccp-settings.ts';
import {
  judgeLicense,
  type LicenseState,
  REASONS,
  sentenceOf,
  ZAI_OFFLOAD,
} from '../../config/open-license.ts';
import { lookAtPolicyCache } from '../../config/open-policy.ts';
import { openPrices } from '../../config/open-prices.ts';
import {
  createSeenModels,
  forgottenOnRestart,
  idleOf,
  idleQuotas,
  KNOWN,
  keptDays,
  lookAtQuotas,
  WEEK_MS,
} from '../../config/open-quota.ts';
import type { Source } from '../../config/resolve-settings.ts';
import { lookAtStore, modelsInStore } from '../../config/store-files.ts';
import { OperatorError } from '../../errors.ts';
import type { Host } from '../shared/host.ts';
import { checkProxy } from './diagnose-proxy.ts';
import { lanesNow } from './lanes-now.ts';
import { openRoutingNow } from './load.ts';

export interface Diagnosis {
  readonly node: string;
  /** Empty where the settings can't be loaded; then a finding says why. */
  readonly settings: readonly SettingRow[];
  readonly files: readonly { readonly path: string; readonly state: string }[];
  readonly findings: readonly Finding[];
}

export interface SettingRow {
  /** The variable. */
  readonly name: string;
  /** Of a credential only `set` or `not set`. */
  readonly value: string;
  readonly source: string;
}

export interface Finding {
  readonly level: 'ok' | 'note' | 'problem';
  readonly what: string;
  readonly remedy?: string;
}

/** Looks at everything; what goes wrong while looking is a finding, too. */
export async function diagnose({ env, cwd, home }: Host): Promise<Diagnosis> {
  const node = process.versions.node;
  const runtime: Finding = { level: 'ok', what: `Node ${node}` };
  const loaded = await attempt(() => loadCcpSettings({ env, cwd, home }));
  if (!loaded.ok) return { node, settings: [], files: [], findings: [runtime, loaded.finding] };
  const warnings = loaded.value.warnings.map((what): Finding => ({ level: 'note', what }));
  return {
    node,
    settings: settingRows(loaded.value),
    files: await fileRows(loaded.value),
    findings: [
      runtime,
      ...warnings,
      ...(await checkPermission(loaded.value.paths.settingsFile)),
      ...(await checkPermission(loaded.value.paths.licensePack)),
      ...(await checkUpstreamCa(loaded.value)),
      await checkLogs(loaded.value),
      await checkStore(loaded.value),
      ...checkLicense(loaded.value),
      ...(await checkRouting(loaded.value)),
      ...(await checkQuotas(loaded.value)),
      ...(await checkPrices(loaded.value)),
      ...(await checkPolicy(loaded.value)),
      ...(await checkProxy(loaded.value)),
    ],
  };
}

function settingRows({ sources, shown, secrets, paths }: LoadedCcp): SettingRow[] {
  const values: Readonly<Record<string, string | null>> = { ...shown, dbPath: paths.store };
  const origins: Readonly<Record<string, Source>> = sources;
  const rows = Object.entries(CCP_DECLARATIONS).map(([key, { env }]) => ({
    name: env[0],
    value: values[key] ?? '-',
    source: describeSource(env[0], origins[key]),
  }));
  const secretRows = Object.values(CCP_SECRETS).map(({ env: [name] }) => {
    const source = secrets.source(name);
    return { name, value: source === null ? 'not set' : 'set', source: describeSource(name, source) };
  });
  return [...rows, ...secretRows];
}

/** The place, and the name used there where it is not the canonical one. */
function describeSource(canonical: string, source: Source | null | undefined): string {
  if (source === null || source === undefined) return '-';
  const { name, label } = source;
  return name === undefined || name === canonical ? label : `${label} (${name})`;
}

async function fileRows(loaded: LoadedCcp): Promise<Diagnosis['files']> {
  const { envFiles, catalogs, quotaFiles, paths, settings } = loaded;
  const placedRows = [...catalogs, ...quotaFiles].map(async (file) => {
    const found = await attempt(() => file.read().state);
    return { path: file.path, state: found.ok ? found.value : found.finding.what };
  });
  return [
    ...envFiles.map(({ path, state }) => ({ path, state: ENV_FILE_STATES[state] })),
    ...(await Promise.all(placedRows)),
    { path: settings.pricesFile ?? paths.prices, state: stateOf(settings.pricesFile ?? paths.prices, null) },
    { path: paths.modelFile, state: stateOf(paths.modelFile, settings.model === null ? null : 'CCP_MODEL') },
    { path: paths.licensePack, state: licenseFileState(loaded) },
  ];
}

/** @param before what counts instead of the file; null without any */
const stateOf = (path: string, before: string | null): string =>
  !existsSync(path) ? 'absent' : before === null ? 'used' : `not used: ${before} goes before it`;

function licenseFileState(loaded: LoadedCcp): string {
  const { source, ...state } = judgeLicense(loaded, Date.now());
  const { licensePack } = loaded.paths;
  if (source !== licensePack)
    return existsSync(licensePack) ? `not used: ${source} goes before it` : 'absent';
  return !state.ok && state.reason === 'none' ? 'absent' : 'used';
}

const ENV_FILE_STATES = {
  absent: 'absent',
  own: 'used',
  trusted: 'used (trusted)',
  changed: 'changed since it was trusted: only harmless settings used',
  untrusted: 'not trusted: only harmless settings used',
} as const;

/** A file that may hold keys or a licence is for its owner's eyes. */
async function checkPermission(path: string): Promise<Finding[]> {
  const looked = await attempt(() => statSync(path, { throwIfNoEntry: false }));
  if (!looked.ok) return [looked.finding];
  if (looked.value === undefined || (looked.value.mode & 0o077) === 0) return [];
  return [{ level: 'problem', what: `${path} can be read by others`, remedy: `chmod 600 ${path}` }];
}

/** Says nothing where there are none of the operator's own. */
async function checkPrices(loaded: LoadedCcp): Promise<Finding[]> {
  const looked = await attempt(() => openPrices(loaded));
  if (!looked.ok) return [looked.finding];
  const { file, strays, toCome } = looked.value;
  if (file === null) return [];
  const lanes = await lanesNow(loaded);
  return [
    { level: 'ok', what: `prices of your own in ${file}` },
    ...toCome(Date.now()).map((what): Finding => ({ level: 'note', what })),
    ...(lanes === null ? [] : strays(lanes.map(({ lane }) => lane))).map(
      (what): Finding => ({
        level: 'note',
        what,
        remedy: `Correct the lane in ${file}, unless it is one that there was before.`,
      }),
    ),
  ];
}

function checkLicense(loaded: LoadedCcp): Finding[] {
  const state = judgeLicense(loaded, Date.now());
  if (!state.ok) {
    const level = state.reason === 'none' ? 'note' : 'problem';
    const remedy = `${REASONS[state.reason].remedy}${state.reason === 'none' ? MINT_ONE : ''}`;
    return [{ level, what: whatIsMissing(state), remedy }];
  }
  const { plan, features, expiresAt, source } = state;
  const until = new Date(expiresAt).toISOString();
  const granted = features.join(' ') || 'no features';
  return [
    { level: 'ok', what: `licence: plan ${plan}, ${granted} until ${until} (${source})` },
    ...(features.includes(ZAI_OFFLOAD) ? [] : [WITHOUT_ZAI]),
  ];
}

const MINT_ONE = ' Or sign one yourself: "ccp issuer mint --help".';

const WITHOUT_ZAI: Finding = {
  level: 'note',
  what: `the licence does not grant ${ZAI_OFFLOAD}: haiku goes to Anthropic (license_block)`,
  remedy: `If it should, ask whoever issued it for one with the feature ${ZAI_OFFLOAD}, spelled so.`,
};

function whatIsMissing({ reason, detail, source }: Exclude<LicenseState, { ok: true }>): string {
  const why = sentenceOf({ reason, detail });
  return reason === 'none'
    ? `${why}: haiku goes to Anthropic (license_block)`
    : `licence of ${source}: ${why}`;
}

async function checkUpstreamCa({ settings: { upstreamCa } }: LoadedCcp): Promise<Finding[]> {
  if (upstreamCa === null) return [];
  const read = await attempt(() => new X509Certificate(readFileSync(upstreamCa)));
  if (!read.ok) {
    return [{ level: 'problem', what: `CCP_UPSTREAM_CA: ${read.finding.what}`, remedy: 'Name a PEM file.' }];
  }
  const { validToDate, subject } = read.value;
  if (validToDate.getTime() > Date.now()) return [];
  return [{ level: 'problem', what: `CCP_UPSTREAM_CA: ${subject} expired on ${validToDate.toISOString()}` }];
}

/** The nearest folder that exists must let the proxy write, or make the missing ones. */
async function checkLogs({ settings: { logsDir } }: LoadedCcp): Promise<Finding> {
  let folder = logsDir;
  while (!existsSync(folder)) folder = dirname(folder);
  const isFolder = statSync(folder).isDirectory();
  const writable = await attempt(() => accessSync(folder, constants.W_OK | constants.X_OK));
  if (isFolder && writable.ok) return { level: 'ok', what: `logs go to ${logsDir}` };
  return {
    level: 'problem',
    what: `${folder} is no folder that can be written to`,
    remedy: 'Set CCP_LOGS_DIR to another folder.',
  };
}

async function checkStore({ settings: { persist }, paths }: LoadedCcp): Promise<Finding> {
  if (!persist) return WITHOUT_STORE;
  if (!existsSync(paths.store)) return { level: 'ok', what: `no store yet at ${paths.store}` };
  const looked = await attempt(() => lookAtStore(paths.store));
  if (!looked.ok) return looked.finding;
  const { exchanges, checked } = looked.value;
  const unread = checked ? '' : '; "ccp db status --check" reads it for damage';
  return { level: 'ok', what: `store: ${plural(exchanges, 'exchange')} in ${paths.store}${unread}` };
}

const WITHOUT_STORE: Finding = {
  level: 'note',
  what: 'there is no store (CCP_PERSIST=0): usage counts nothing',
};

async function checkRouting(loaded: LoadedCcp): Promise<Finding[]> {
  const ignored: string[] = [];
  const log = { info: () => {}, warn: (text: string) => void ignored.push(text), error: () => {} };
  const opened = await attempt(() => openRoutingNow(loaded, log));
  if (!opened.ok) return [opened.finding];
  await using routing = opened.value;
  const providers = routing.providers();
  const upstreams = await attempt(() => refuseOwnListener(providers, loaded.settings.port));
  const keyless = providers.flatMap(({ id, auth }) =>
    auth.kind === 'key' && auth.key === null ? { id, env: auth.env } : [],
  );
  return [
    ...ignored.map((what): Finding => ({ level: 'note', what })),
    ...(routing.paused() ? [PAUSED] : []),
    ...keyless.map(
      ({ id, env }): Finding => ({
        level: 'note',
        what: `${id} has no key: what would go there goes to its fallback (no_credential)`,
        remedy: `Set ${env}, best in ${loaded.paths.settingsFile}.`,
      }),
    ),
    upstreams.ok
      ? { level: 'ok', what: `providers: ${providers.map(({ id }) => id).join(', ')}` }
      : upstreams.finding,
  ];
}

const PAUSED: Finding = {
  level: 'note',
  what: 'the proxy starts paused (OFFLOAD_PAUSED): everything goes to Anthropic, licence or not',
  remedy: 'Unset OFFLOAD_PAUSED, or run "ccp offload resume" after each start.',
};

/** None is nothing to speak of: then nothing is capped. */
async function checkQuotas(loaded: LoadedCcp): Promise<Finding[]> {
  const look = await attempt(() => lookAtQuotas(loaded));
  if (!look.ok) return [look.finding];
  const { file, definitions, ignored } = look.value;
  const notes = ignored.map((what): Finding => ({ level: 'note', what }));
  if (file === null) return notes;
  const { rerouteMode } = loaded.settings;
  const lanes = await lanesNow(loaded);
  const seen = await seenModels(loaded);
  const around = lanes && { ...KNOWN, lanes, seenOn: (lane: string) => seen.of(lane) };
  const remedy = `Correct it in ${file} if it is not what you meant; "ccp providers" shows the lanes and their routes.`;
  const doubts = definitions.flatMap((one): Finding[] => {
    if (around === null) return [];
    // A route may come with a policy pack; a lane only with a catalog.
    const level = idleOf(one, around) === 'no_lane' ? 'problem' : 'note';
    return idleQuotas([one], file, around).map((what) => ({ level, what, remedy }));
  });
  return [
    ...notes,
    { level: 'ok', what: `quotas: ${definitions.length} in ${file}, mode ${rerouteMode}` },
    ...doubts,
    ...forgottenOnRestart(definitions, file, keptDays(loaded)).map(
      (what): Finding => ({ level: 'note', what, remedy: KEEP_A_WEEK }),
    ),
  ];
}

const KEEP_A_WEEK =
  'Leave CCP_PERSIST at 1 and CCP_SAMPLE_TTL_DAYS at 7 or more, or know that a restart forgets.';

/** What the store knows of the last seven days; nothing of one that cannot be read, or is of an older schema. */
async function seenModels({ settings: { persist }, paths }: LoadedCcp) {
  const seen = createSeenModels();
  if (!persist || !existsSync(paths.store)) return seen;
  const looked = await attempt(() => modelsInStore(paths.store, Date.now() - WEEK_MS));
  if (looked.ok) for (const { lane, model } of looked.value) seen.saw(lane, model);
  return seen;
}

/** The key must be there; that the cached pack is of no use is no problem as long as a server has another. */
async function checkPolicy(loaded: LoadedCcp): Promise<Finding[]> {
  const { policyUrl } = loaded.settings;
  if (policyUrl === null) return [];
  const look = await attempt(() => lookAtPolicyCache(loaded, Date.now()));
  if (!look.ok) return [look.finding];
  if (look.value === null)
    return [{ level: 'note', what: `no policy pack of ${policyUrl} was taken over yet` }];
  if (!look.value.usable)
    return [{ level: 'note', what: `the cached policy pack does not count: ${look.value.why}` }];
  return [{ level: 'ok', what: `policy pack of version ${look.value.pack.version} in the cache` }];
}

type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly finding: Finding };

async function attempt<T>(look: () => T | Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await look() };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const hint = error instanceof OperatorError ? error.hint : undefined;
    return { ok: false, finding: { level: 'problem', what, ...(hint !== undefined && { remedy: hint }) } };
  }
}
