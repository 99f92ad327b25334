/** From the places where a setting may be set to its value: precedence, trust, and what to say of a bad one. */
import { OperatorError } from '../errors.ts';
import type { Kind, Place } from './kinds.ts';
import { nearestName } from './nearest-name.ts';
import type { Declarations, Setting, SettingsOf } from './setting.ts';

/** One place where values come from; `flag` values go by the setting's key, all others by variable name. */
export interface Layer {
  readonly kind: 'flag' | 'environment' | 'file' | 'profile';
  /** As shown to the person: `the environment`, a path. */
  readonly label: string;
  /** Whether it may set every setting, or only those declared with `trust: 'cwd'`. */
  readonly trusted: boolean;
  readonly values: Readonly<Record<string, string | undefined>>;
}

/** Where an effective value came from. */
export interface Source {
  readonly kind: Layer['kind'] | 'default';
  /** The flag or variable that gave it, absent for defaults. */
  readonly name?: string;
  readonly label: string;
}

export interface Resolved<D extends Declarations> {
  readonly settings: SettingsOf<D>;
  readonly sources: { readonly [K in keyof D]: Source };
  /** The values as a person would write them; null where there is none. */
  readonly shown: { readonly [K in keyof D]: string | null };
}

/**
 * The value of every setting: the first of `layers` that sets it, else its default. An empty value counts as
 * not set. Throws `CONFIG` naming the variable, the value and what is allowed. Not for credentials: those
 * are looked up by `createSecrets`, whose errors show no value.
 */
export function resolveSettings<D extends Declarations>(
  declarations: D,
  layers: readonly Layer[],
  place: Place,
): Resolved<D> {
  const entries = Object.entries(declarations).map(([key, setting]) => {
    const found = find(key, setting, layers) ?? byDefault(setting);
    const value = read(setting, found, place);
    const shown = value === null ? null : show(setting.kind, value, found.text);
    return [key, { source: found.source, value, shown }] as const;
  });
  const made = {
    settings: Object.freeze(Object.fromEntries(entries.map(([key, { value }]) => [key, value]))),
    sources: Object.freeze(Object.fromEntries(entries.map(([key, { source }]) => [key, source]))),
    shown: Object.freeze(Object.fromEntries(entries.map(([key, { shown }]) => [key, shown]))),
  };
  if (!isFor(declarations, made)) throw new TypeError('a declared setting was not resolved');
  return made;
}

/** A path is shown as it was settled, everything else as it was written, unless its kind knows better. */
function show(kind: Kind<unknown>, value: unknown, text: string | null): string | null {
  return kind.show?.(value) ?? (typeof value === 'string' ? value : text);
}

/** Whether each of the objects has something for each declaration. */
function isFor<D extends Declarations>(
  declarations: D,
  made: { readonly settings: object; readonly sources: object; readonly shown: object },
): made is Resolved<D> {
  return Object.keys(declarations).every((key) => Object.values(made).every((values) => key in values));
}

interface Found {
  readonly text: string | null;
  readonly source: Source;
}

function find(key: string, setting: Setting<unknown>, layers: readonly Layer[]): Found | null {
  for (const layer of layers) {
    if (!layer.trusted && setting.trust !== 'cwd') continue;
    for (const name of namesIn(layer, key, setting)) {
      const text = layer.values[name];
      if (text === undefined || text === '') continue;
      const shown = layer.kind === 'flag' ? (setting.flag ?? key) : name;
      return { text, source: { kind: layer.kind, name: shown, label: layer.label } };
    }
  }
  return null;
}

function namesIn(layer: Layer, key: string, setting: Setting<unknown>): readonly string[] {
  if (layer.kind === 'flag' || layer.kind === 'profile') return [key];
  if (layer.kind === 'environment') return setting.env;
  return setting.env.filter((name) => setting.environmentOnly?.includes(name) !== true);
}

const byDefault = (setting: Setting<unknown>): Found => ({
  text: setting.default,
  source: { kind: 'default', label: 'default' },
});

function read(setting: Setting<unknown>, { text, source }: Found, place: Place): unknown {
  if (text === null) return null;
  const kind: Kind<unknown> = setting.kind;
  const parsed = kind.schema.safeParse(text);
  if (parsed.success) return Object.freeze(kind.finish?.(parsed.data, place) ?? parsed.data);
  const name = source.name ?? setting.env[0];
  const problem = kind.explains === true ? `: ${parsed.error.issues[0]?.message}` : ` is ${quote(text)}`;
  throw new OperatorError('CONFIG', `${name} (${source.label})${problem}`, {
    hint: `It must be ${kind.allowed}.`,
  });
}

/** Names that an untrusted layer sets in vain. */
export function ignoredNames(declarations: Declarations, layer: Layer): string[] {
  if (layer.trusted) return [];
  return Object.entries(declarations)
    .filter(([, setting]) => setting.trust !== 'cwd')
    .flatMap(([key, setting]) => namesIn(layer, key, setting))
    .filter((name) => (layer.values[name] ?? '') !== '');
}

export interface UnknownName {
  readonly sentence: string;
  /** The known name that was probably meant. */
  readonly near: string | null;
}

/** The `CCP_*` variables that no setting has. */
export function unknownNames(layers: readonly Layer[], known: ReadonlySet<string>): UnknownName[] {
  const variables = layers.filter(({ kind }) => kind === 'environment' || kind === 'file');
  return variables.flatMap(({ label, values }) =>
    Object.keys(values)
      .filter((name) => name.startsWith('CCP_') && !known.has(name))
      .map((name) => {
        const near = nearestName(name, known);
        const remedy = near === null ? '' : `; did you mean ${near}?`;
        return { sentence: `${name} (${label}) is not a setting${remedy}`, near };
      }),
  );
}

/** All names of all settings. */
export function namesOf(...tables: readonly Declarations[]): Set<string> {
  return new Set(tables.flatMap((table) => Object.values(table).flatMap(({ env }) => env)));
}

const LONGEST_SHOWN = 80;

/** A value as it may be shown: on one line, short, and without the password of a URL. */
function quote(value: string): string {
  const safe = value.replace(/\/\/[^/@]*@/g, '//…@');
  return JSON.stringify(safe.length > LONGEST_SHOWN ? `${safe.slice(0, LONGEST_SHOWN)}…` : safe);
}
