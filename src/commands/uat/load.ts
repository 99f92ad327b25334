import { createUat, type Uat, type UatSettings } from '../../ccp-uat.ts';
import { type LoadedUat, loadUatSettings } from '../../config/uat-settings.ts';
import { type Host, printWarnings } from '../shared/host.ts';

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

/** Variables that change what a run does, and hold neither a path nor a secret. */
const TOLD = [
  'ALLOW_REAL_API',
  'CI',
  'LANG',
  'LC_ALL',
  'SMOKE_LANES',
  'TIMEOUT_SECS',
  'TZ',
  'USE_LICENSE_LOGIN',
];

/** What a run keeps of how it was asked for: where on the machine things lie is left out. */
function invocationOf({ env, argv = [], cwd, home }: Host): NonNullable<UatSettings['invocation']> {
  const set = TOLD.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  const places = [[cwd, '.'] as const, [home, '~'] as const].filter(([place]) => place.length > 1);
  const placeless = (word: string): string =>
    places.reduce((text, [place, name]) => text.replaceAll(place, name), word);
  return { argv: argv.map(placeless), environment: Object.fromEntries(set) };
}
