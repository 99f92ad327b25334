/**
 * The environment of whatever the harness starts. Built from nothing, not filtered from the caller's: a
 * credential, a proxy or a NODE_OPTIONS that happens to be set at the operator's shell must not reach a
 * child, and a name that nobody thought of must not either.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';

export type Environment = Readonly<Record<string, string>>;

/** What a child may know of the machine. */
const INHERITED = ['PATH', 'LANG', 'LC_ALL', 'TZ'] as const;

/** Folders that a program of the harness has to itself. */
export interface Home {
  readonly home: string;
  readonly tmp: string;
  readonly work: string;
}

/** Makes a home below `root` (absolute): readable by nobody else, with its own TMPDIR and working directory. */
export async function makeHome(root: string): Promise<Home> {
  const home = { home: root, tmp: path.join(root, 'tmp'), work: path.join(root, 'work') };
  await mkdir(root, { recursive: true, mode: 0o700 });
  await Promise.all([home.tmp, home.work].map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })));
  return home;
}

/** The environment of a child that lives in `home`; `extra` wins over everything. */
export function childEnvironment({
  home,
  extra = {},
  caller = process.env,
}: {
  readonly home: Home;
  readonly extra?: Environment;
  readonly caller?: NodeJS.ProcessEnv;
}): Environment {
  const inherited = INHERITED.flatMap((name) => {
    const value = caller[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    LANG: 'C.UTF-8',
    ...Object.fromEntries(inherited),
    HOME: home.home,
    TMPDIR: home.tmp,
    XDG_CONFIG_HOME: path.join(home.home, '.config'),
    XDG_STATE_HOME: path.join(home.home, '.local', 'state'),
    XDG_CACHE_HOME: path.join(home.home, '.cache'),
    XDG_DATA_HOME: path.join(home.home, '.local', 'share'),
    TERM: 'dumb',
    NO_COLOR: '1',
    ...extra,
  };
}
