/**
 * The credentials of whoever works here, for a search in what must hold none of them. The harness uses it, and with it
 * features of the proxy: docs/decisions says why.
 */
import { keyVariablesIn } from '../features/routing/key-variables.ts';
import { CCP_DECLARATIONS, CCP_SECRETS } from './ccp-declarations.ts';
import { type FlagsOf, type Layers, readLayers, type Start } from './layers.ts';
import { placedFiles } from './placed-files.ts';
import { namesOf, resolveSettings } from './resolve-settings.ts';
import { UAT_SECRETS } from './uat-declarations.ts';

export interface OwnCredential {
  /** The variable that holds it. */
  readonly name: string;
  readonly value: string;
}

/** Where Claude Code finds its own. */
const OF_THE_CLIENT = ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'];

/**
 * What the client, the proxy and the harness would find here: in the environment, in `.env` and in the user's settings file,
 * keys of the catalog's providers among them. A value or a catalog counts also where it is shadowed, malformed or not
 * trusted: it is somebody's all the same. Throws `CONFIG` where a file can't be read.
 */
export function ownCredentials(start: Start<FlagsOf<typeof CCP_DECLARATIONS>>): OwnCredential[] {
  const read = readLayers(start);
  const names = new Set([
    ...OF_THE_CLIENT,
    ...namesOf(CCP_SECRETS, UAT_SECRETS),
    ...catalogVariables(read, start),
  ]);
  const variables = read.layers.filter(({ kind }) => kind === 'environment' || kind === 'file');
  return [...names].flatMap((name) => {
    const values = variables.flatMap(({ values: of }) =>
      Object.hasOwn(of, name) ? (of[name]?.trim() ?? '') : '',
    );
    return [...new Set(values)].filter((value) => value !== '').map((value) => ({ name, value }));
  });
}

function catalogVariables({ layers, folders, trust }: Layers, start: Start<unknown>): string[] {
  const { providersFile } = resolveSettings(
    { providersFile: CCP_DECLARATIONS.providersFile },
    layers,
    start,
  ).settings;
  const places = {
    name: 'providers.yaml',
    cwd: start.cwd,
    configFolder: folders.config,
    // Only names are taken: a catalog that lost its trust still tells of keys that were used.
    trust: { ...trust, stateOf: () => 'trusted' as const },
  };
  const named = providersFile === null ? [] : placedFiles({ ...places, named: providersFile });
  const files = [...named, ...placedFiles({ ...places, named: null })];
  return files.flatMap((file) => {
    const found = file.read();
    return found.state === 'used' ? keyVariablesIn(file.path, found.bytes) : [];
  });
}
