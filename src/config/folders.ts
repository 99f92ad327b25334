/** Where the user's own files live, by the XDG Base Directory Specification. */
import { isAbsolute, join } from 'node:path';

export interface Folders {
  /** `~/.config/ccp`: written by the person. */
  readonly config: string;
  /** `~/.local/state/ccp`: written by the program, shared by all profiles. */
  readonly state: string;
}

/** The specification ignores a relative path in its variables. */
export function userFolders(env: NodeJS.ProcessEnv, home: string): Folders {
  const base = (value: string | undefined, fallback: string): string =>
    value !== undefined && isAbsolute(value) ? value : join(home, fallback);
  return {
    config: join(base(env['XDG_CONFIG_HOME'], '.config'), 'ccp'),
    state: join(base(env['XDG_STATE_HOME'], '.local/state'), 'ccp'),
  };
}
