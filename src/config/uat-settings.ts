/** Loads the settings of `ccp-uat`, from the same places as those of `ccp`. */
import { type FlagsOf, ignoredWarnings, readLayers, type Start } from './layers.ts';
import { namesOf, type Resolved, resolveSettings, unknownNames } from './resolve-settings.ts';
import { createSecrets, type Secrets } from './secrets.ts';
import type { SettingsOf } from './setting.ts';
import { UAT_DECLARATIONS, UAT_SECRETS } from './uat-declarations.ts';

export type UatSettings = SettingsOf<typeof UAT_DECLARATIONS>;

export interface LoadedUat {
  readonly settings: UatSettings;
  readonly secrets: Secrets;
  readonly sources: Resolved<typeof UAT_DECLARATIONS>['sources'];
  /** Sentences for the person. */
  readonly warnings: readonly string[];
}

/** Throws `CONFIG` for a value that is malformed. */
export function loadUatSettings(start: Start<FlagsOf<typeof UAT_DECLARATIONS>>): LoadedUat {
  const read = readLayers(start);
  const { settings, sources } = resolveSettings(UAT_DECLARATIONS, read.layers, start);
  return {
    settings,
    secrets: createSecrets(read.layers),
    sources,
    warnings: [...ignoredWarnings(read, UAT_DECLARATIONS, UAT_SECRETS), ...nearMisses(read.layers)],
  };
}

/** The proxy's own variables are strangers here, so only what looks like a slip is worth a word. */
function nearMisses(layers: Parameters<typeof createSecrets>[0]): string[] {
  const known = namesOf(UAT_DECLARATIONS, UAT_SECRETS);
  return unknownNames(layers, known).flatMap(({ sentence, near }) => (near === null ? [] : sentence));
}
