/** Loads the settings of `ccp`: flag > environment > `.env` in the working directory > user file > default. */
import { join } from 'node:path';
import { OperatorError } from '../errors.ts';
import { isLoopbackHost } from '../features/routing/base-url.ts';
import type { CatalogFile } from '../features/routing/catalog-file.ts';
import { catalogFiles } from './catalog-files.ts';
import { CCP_DECLARATIONS, CCP_SECRETS, PROFILE_DEFAULTS } from './ccp-declarations.ts';
import { type EnvFile, readEnvFile } from './env-file.ts';
import { userFolders } from './folders.ts';
import {
  ignoredNames,
  type Layer,
  namesOf,
  type Resolved,
  resolveSettings,
  unknownNames,
} from './resolve-settings.ts';
import { createSecrets, type Secrets } from './secrets.ts';
import type { SettingsOf } from './setting.ts';
import { createTrustStore, type TrustStore } from './trust.ts';

export type CcpSettings = SettingsOf<typeof CCP_DECLARATIONS>;
export type CcpSources = Resolved<typeof CCP_DECLARATIONS>['sources'];

/** What the program was started with; entry files take it from `process`. */
export interface Start {
  /** By setting key, as typed: `{ port: '8082' }`. */
  readonly flags?: { readonly [K in keyof CcpSettings]?: string | undefined };
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly home: string;
}

export interface LoadedCcp {
  readonly settings: CcpSettings;
  readonly secrets: Secrets;
  readonly sources: CcpSources;
  /** Sentences for the person: unknown names, ignored files, obsolete settings. */
  readonly warnings: readonly string[];
  readonly paths: CcpPaths;
  /** The files that may set settings, whether they are there or not. */
  readonly envFiles: readonly EnvFile[];
  /** The provider catalogs, in order of precedence. */
  readonly catalogs: readonly CatalogFile[];
  readonly trust: TrustStore;
}

export interface CcpPaths {
  readonly cwd: string;
  /** The user's settings file. */
  readonly settingsFile: string;
  /** The model override that outlives a restart. */
  readonly modelFile: string;
  /** State of this profile. */
  readonly stateDir: string;
  /** The bearer of our own POSTs. */
  readonly controlToken: string;
}

/** Throws `CONFIG` for a value that is malformed or a combination that is not safe. */
export function loadCcpSettings({ flags = {}, env, cwd, home }: Start): LoadedCcp {
  const folders = userFolders(env, home);
  const trust = createTrustStore(join(folders.state, 'trust.json'));
  const dotEnv = readEnvFile(join(cwd, '.env'), (path, bytes) => trust.stateOf(path, bytes));
  const userFile = readEnvFile(join(folders.config, 'settings.env'), () => 'own');

  const set: Layer[] = [
    { kind: 'flag', label: 'command line', trusted: true, values: flags },
    { kind: 'environment', label: 'environment', trusted: true, values: env },
    fileLayer(dotEnv),
    fileLayer(userFile),
  ];
  const place = { cwd, home };
  const { profile } = resolveSettings({ profile: CCP_DECLARATIONS.profile }, set, place).settings;
  const layers = profile === null ? set : [...set, profileLayer(profile, folders.state)];
  const { settings, sources } = resolveSettings(CCP_DECLARATIONS, layers, place);
  const secrets = createSecrets(set);
  refuseOpenListener(settings, secrets);

  const stateDir = join(folders.state, profile ?? 'default');
  return {
    settings,
    secrets,
    sources,
    warnings: [...fileWarnings(dotEnv), ...nameWarnings(set), ...obsolete(settings)],
    paths: {
      cwd,
      settingsFile: userFile.path,
      modelFile: join(folders.config, 'model'),
      stateDir,
      controlToken: join(stateDir, 'control.token'),
    },
    envFiles: [dotEnv, userFile],
    catalogs: catalogFiles({ named: settings.providersFile, cwd, configFolder: folders.config, trust }),
    trust,
  };
}

const fileLayer = ({ path, state, values }: EnvFile): Layer => ({
  kind: 'file',
  label: path,
  trusted: state === 'own' || state === 'trusted',
  values,
});

function profileLayer(profile: 'dev' | 'prod', stateFolder: string): Layer {
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
    {
      hint: 'Set CCP_CLIENT_TOKEN, which clients then send as x-ccp-token, or listen on 127.0.0.1.',
    },
  );
}

function fileWarnings(file: EnvFile): string[] {
  const layer = fileLayer(file);
  const names = [...ignoredNames(CCP_DECLARATIONS, layer), ...ignoredNames(CCP_SECRETS, layer)];
  if (names.length === 0) return [];
  const why = file.state === 'changed' ? 'has changed since it was trusted' : 'is not trusted';
  return [
    `${file.path} ${why}: ${names.join(', ')} ignored; to accept the file as it is now: ccp trust ${file.path}`,
  ];
}

function nameWarnings(layers: readonly Layer[]): string[] {
  const known = namesOf(CCP_DECLARATIONS, CCP_SECRETS);
  return layers.filter(({ kind }) => kind !== 'flag').flatMap((layer) => unknownNames(layer, known));
}

const obsolete = ({ filterChain }: CcpSettings): string[] =>
  filterChain === null
    ? []
    : ['MITM_FILTER_CHAIN is obsolete: the proxy always routes; the value has no effect'];
