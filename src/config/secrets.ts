/** Credentials, apart from the settings: nothing that prints settings can print one. */
import { OperatorError } from '../errors.ts';
import { credential } from './kinds.ts';
import type { Layer, Source } from './resolve-settings.ts';

export interface Secrets {
  /**
   * The value of a variable that holds a credential, null where it is not set. Throws `CONFIG` where it
   * could not be sent as a header; the message never shows it.
   */
  readonly get: (variable: string) => string | null;
  /** Where it is set; null where it is not. */
  readonly source: (variable: string) => Source | null;
}

/** Looks credentials up in the trusted ones of `layers`, first match wins. An empty value is not set. */
export function createSecrets(layers: readonly Layer[]): Secrets {
  const usable = layers.filter(({ trusted, kind }) => trusted && (kind === 'environment' || kind === 'file'));
  const find = (name: string): Layer | undefined =>
    usable.find(({ values }) => Object.hasOwn(values, name) && (values[name] ?? '') !== '');
  return {
    get(name) {
      const layer = find(name);
      if (layer === undefined) return null;
      const parsed = credential.schema.safeParse(layer.values[name]);
      if (parsed.success) return parsed.data;
      throw new OperatorError('CONFIG', `${name} (${layer.label}) has a value that is not allowed`, {
        hint: `It must be ${credential.allowed}.`,
      });
    },
    source(name) {
      const layer = find(name);
      return layer === undefined ? null : { kind: layer.kind, name, label: layer.label };
    },
  };
}
