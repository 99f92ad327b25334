/** The places where settings may be set, read once: what both programs have in common. */
import { join } from 'node:path';
import { type EnvFile, readEnvFile } from './env-file.ts';
import { type Folders, userFolders } from './folders.ts';
import { ignoredNames, type Layer, namesOf } from './resolve-settings.ts';
import type { Declarations } from './setting.ts';
import { openTrust, type TrustStore } from './trust.ts';

/** What a program was started with; entry files take it from `process`. */
export interface Start<Flags> {
  /** By setting key, as typed: `{ port: '8082' }`. */
  readonly flags?: Flags;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly home: string;
}

/** What was typed for some of the settings. */
export type FlagsOf<D extends Declarations> = { readonly [K in keyof D]?: string | undefined };

export interface Layers {
  /** In order of precedence. */
  readonly layers: readonly Layer[];
  /** `.env` in the working directory, whether it is there or not. */
  readonly dotEnv: EnvFile;
  readonly userFile: EnvFile;
  readonly folders: Folders;
  readonly trust: TrustStore;
}

/** flag > environment > `.env` in the working directory > user file. Throws `CONFIG` where a file can't be read. */
export function readLayers({ flags = {}, env, cwd, home }: Start<Layer['values']>): Layers {
  const folders = userFolders(env, home);
  const trust = openTrust(folders);
  const dotEnv = readEnvFile(join(cwd, '.env'), (path, bytes) => trust.stateOf(path, bytes));
  const userFile = readEnvFile(join(folders.config, 'settings.env'), () => 'own');
  const layers: Layer[] = [
    { kind: 'flag', label: 'command line', trusted: true, values: flags },
    { kind: 'environment', label: 'environment', trusted: true, values: env },
    fileLayer(dotEnv),
    fileLayer(userFile),
  ];
  return { layers, dotEnv, userFile, folders, trust };
}

const fileLayer = ({ path, state, values }: EnvFile): Layer => ({
  kind: 'file',
  label: path,
  trusted: state === 'own' || state === 'trusted',
  values,
});

/** What a file sets more than once; of a project's `.env` only the settings, the rest is the project's own affair. */
export function repeatedWarnings({ dotEnv, userFile }: Layers, ...tables: readonly Declarations[]): string[] {
  const known = namesOf(...tables);
  return [dotEnv, userFile].flatMap(({ path, state, repeated }) =>
    repeated
      .filter(({ name }) => state === 'own' || known.has(name))
      .map(({ name, lines }) => {
        const all = `${lines.slice(0, -1).join(', ')} and ${lines.at(-1)}`;
        return `${path} sets ${name} in lines ${all}: only line ${lines.at(-1)} counts`;
      }),
  );
}

/** What a `.env` sets in vain, with the remedy; empty where it sets nothing in vain. */
export function ignoredWarnings({ dotEnv }: Layers, ...tables: readonly Declarations[]): string[] {
  const names = tables.flatMap((table) => ignoredNames(table, fileLayer(dotEnv)));
  if (names.length === 0) return [];
  const why = dotEnv.state === 'changed' ? 'has changed since it was trusted' : 'is not trusted';
  return [
    `${dotEnv.path} ${why}: ${names.join(', ')} ignored; to accept it as it is now: ccp trust ${dotEnv.path}`,
  ];
}
