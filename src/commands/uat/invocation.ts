import { resolve } from 'node:path';
import type { UatSettings } from '../../ccp-uat.ts';
import type { Host } from '../shared/host.ts';

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
export function invocationOf({
  env,
  argv = [],
  cwd,
  home,
}: Pick<Host, 'env' | 'argv' | 'cwd' | 'home'>): NonNullable<UatSettings['invocation']> {
  const set = TOLD.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  // The working directory mostly lies in the home.
  const places = [[resolve(cwd), '.'] as const, [resolve(home), '~'] as const].filter(
    ([place]) => place.length > 1,
  );
  const placeless = (word: string): string =>
    places.reduce((text, [place, name]) => renamed(text, place, name), word);
  return { argv: argv.map(placeless), environment: Object.fromEntries(set) };
}

/** Wherever the place is named, and not where its path is only a part of another: `/a/b` is none of `/a/b-c`. */
const renamed = (text: string, place: string, name: string): string =>
  text.replaceAll(place, (found, at: number) =>
    IN_A_NAME.test(text.charAt(at - 1)) || IN_A_NAME.test(text.charAt(at + found.length)) ? found : name,
  );

/** What a name goes on with. */
const IN_A_NAME = /[\p{L}\p{N}_.+@%~-]/u;
