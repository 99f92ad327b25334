/** Loads the settings of `ccp`: flag > environment > `.env` in the working directory > user file > default. */
import { join } from 'node:path';
import { OperatorError } from '../errors.ts';
import type { PlacedFile } from '../platform/placed-file.ts';
import { isLoopbackHost } from '../protocol/base-url.ts';
import { CCP_DECLARATIONS, CCP_SECRETS, PROFILE_DEFAULTS } from './ccp-declarations.ts';
import type { EnvFile } from './env-file.ts';
import { type FlagsOf, ignoredWarnings, readLayers, repeatedWarnings, type Start } from './layers.ts';
import { placedFiles } from './placed-files.ts';
import { type Layer, namesOf, type Resolved, resolveSettings, unknownNames } from './resolve-settings.ts';
import { createSecrets, type Secrets } from './secrets.ts';
import type { SettingsOf } from './setting.ts';
import type { TrustStore } from './trust.ts';

export type CcpSettings = SettingsOf<typeof CCP_DECLARATIONS>;
export type CcpFlags = FlagsOf<typeof CCP_DECLARATIONS>;
type ResolvedCcp = Resolved<typeof CCP_DECLARATIONS>;

export interface LoadedCcp {
  readonly settings: CcpSettings;
  readonly secrets: Secrets;
  readonly sources: ResolvedCcp['sources'];
  /** The settings as a person would write them. */
  readonly shown: ResolvedCcp['shown'];
  /** Sentences for the person: unknown names, ignored files, obsolete settings. */
  readonly warnings: readonly string[];
  readonly paths: CcpPaths;
  /** The files that may set settings, whether they are there or not. */
  readonly envFiles: readonly EnvFile[];
  /** The provider catalogs, in order of precedence. */
  readonly catalogs: readonly PlacedFile[];
  /** The quota files, in order of precedence; the first that counts is the only one. */
  readonly quotaFiles: readonly PlacedFile[];
  readonly trust: TrustStore;
}

export interface CcpPaths {
  readonly cwd: string;
  /** The user's settings file. */
  readonly settingsFile: string;
  /** The model override that outlives a restart. */
  readonly modelFile: string;
  /** The licence that `ccp license set` stores for this profile. */
  readonly licensePack: string;
  /** State of this profile. */
  readonly stateDir: string;
  /** The bearer of our own POSTs. */
  readonly controlToken: string;
  /** The last policy pack that was taken over. */
  readonly policyCache: string;
  /** The user's prices; they need not be there. */
  readonly prices: string;
  /** The file of the store, whether it is there or not. */
  readonly store: string;
}

/** Throws `CONFIG` for a value that is malformed or a combination that is not safe. */
export function loadCcpSettings(start: Start<CcpFlags>): LoadedCcp {
  const read = readLayers(start);
  const { dotEnv, userFile, folders, trust } = read;
  const { profile } = resolveSettings({ profile: CCP_DECLARATIONS.profile }, read.layers, start).settings;
  const layers = profile === null ? read.layers : [...read.layers, profileLayer(profile, folders.state)];
  const { settings, sources, shown } = resolveSettings(CCP_DECLARATIONS, layers, start);
  const secrets = createSecrets(layers);
  refuseOpenListener(settings, secrets);
  refuseUnverifiedPolicy(settings);

  const unknown = unknownNames(layers, namesOf(CCP_DECLARATIONS, CCP_SECRETS));
  const places = { cwd: start.cwd, configFolder: folders.config, trust };
  const stateDir = join(folders.state, profile ?? 'default');
  return {
    settings,
    secrets,
    sources,
    shown,
    warnings: [
      ...ignoredWarnings(read, CCP_DECLARATIONS, CCP_SECRETS),
      ...repeatedWarnings(read, CCP_DECLARATIONS, CCP_SECRETS),
      ...unknown.map(({ sentence }) => sentence),
      ...obsoleteWarnings(settings),
    ],
    paths: {
      cwd: start.cwd,
      settingsFile: userFile.path,
      modelFile: join(folders.config, 'model'),
      licensePack: join(folders.config, profile ?? '', 'license.pack'),
      stateDir,
      controlToken: join(stateDir, 'control.token'),
      policyCache: join(settings.logsDir, 'policy-cache.json'),
      prices: join(folders.config, 'prices.json'),
      store: settings.dbPath ?? join(settings.logsDir, 'ccp.sqlite3'),
    },
    envFiles: [dotEnv, userFile],
    catalogs: placedFiles({ ...places, name: 'providers.yaml', named: settings.providersFile }),
    quotaFiles: placedFiles({ ...places, name: 'quotas.json', named: settings.quotasFile }),
    trust,
  };
}

function profileLayer(profile: keyof typeof PROFILE_DEFAULTS, stateFolder: string): Layer {
  const { port, logsDir } = PROFILE_DEFAULTS[profile];
  return {
    kind: 'profile',
    label: `profile ${profile}`,
    trusted: true,
    values: { port, logsDir: logsDir ?? join(stateFolder, profile, 'logs') },
  };
}

/** A listener that others can reach would lend them the keys. */
function refuseOpenListener({ host }: CcpSettings, secrets: Secrets): void {
  if (isLoopbackHost(host) || secrets.get('CCP_CLIENT_TOKEN') !== null) return;
  throw new OperatorError(
    'CONFIG',
    `CCP_HOST is ${host}, which is not loopback, and CCP_CLIENT_TOKEN is not set`,
    { hint: 'Set CCP_CLIENT_TOKEN, which clients then send as x-ccp-token, or listen on 127.0.0.1.' },
  );
}

/** Whoever can answer at an address would route, and move keys. */
function refuseUnverifiedPolicy({ policyUrl, policyPubkey }: CcpSettings): void {
  if (policyUrl === null || policyPubkey !== null) return;
  throw new OperatorError('CONFIG', `CCP_POLICY_URL is ${policyUrl}, and CCP_POLICY_PUBKEY is not set`, {
    hint: 'Set CCP_POLICY_PUBKEY (or --policy-pubkey) to the public key of whoever signs the packs.',
  });
}

const obsoleteWarnings = ({ filterChain }: CcpSettings): string[] =>
  filterChain === null
    ? []
    : ['MITM_FILTER_CHAIN is obsolete: the proxy always routes; the value has no effect'];
