import { createUat, type Uat } from '../../ccp-uat.ts';
import { type LoadedUat, loadUatSettings } from '../../config/uat-settings.ts';
import { type Host, printWarnings } from '../shared/host.ts';
import { invocationOf } from './invocation.ts';

export interface Opened extends LoadedUat {
  readonly uat: Uat;
}

/** Settings as typed. */
export type Typed = Parameters<typeof loadUatSettings>[0]['flags'];

/** Loads the settings, shows what is odd about them, and opens the harness on them. Throws `CONFIG`. */
export function open(host: Host, flags: Typed = {}): Opened {
  const { env, cwd, home } = host;
  const loaded = loadUatSettings({ flags, env, cwd, home });
  printWarnings(host, 'ccp-uat', loaded.warnings);
  const { resultsDir, logsDir } = loaded.settings;
  return { ...loaded, uat: createUat({ resultsDir, logsDir, cwd, invocation: invocationOf(host) }) };
}
