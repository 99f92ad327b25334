/** How a setting is declared: once, and everything else (loading, help, documentation) follows from it. */
import type { Kind } from './kinds.ts';

export interface Setting<T> extends Described {
  readonly kind: Kind<NonNullable<T>>;
  /** The text that stands for it where nobody set it; null: then the setting is null. */
  readonly default: string | null;
  readonly trust: Trust;
}

/** What a file that merely lies in the working directory may set: only `cwd`. */
export type Trust = 'cwd' | 'user';

export interface Described {
  /** Environment names, the canonical one first; of two in one source the earlier counts. */
  readonly env: readonly [string, ...string[]];
  /** Those of `env` that other programs use too: in a project's `.env` they mean something else. */
  readonly environmentOnly?: readonly string[];
  /** As typed, e.g. `--port`. */
  readonly flag?: string;
  readonly default?: string | null;
  /** `user` unless said otherwise. */
  readonly trust?: Trust;
  /** One line. */
  readonly help: string;
}

export type Declarations = Readonly<Record<string, Setting<unknown>>>;

/** The frozen values that declarations give. */
export type SettingsOf<D extends Declarations> = {
  readonly [K in keyof D]: D[K] extends Setting<infer T> ? T : never;
};

/** Declares a setting: with a default its value is never null. */
export function setting<T>(kind: Kind<T>, described: Described & { readonly default: string }): Setting<T>;
export function setting<T>(kind: Kind<T>, described: Described): Setting<T | null>;
export function setting(
  kind: Kind<object | string | number | boolean>,
  described: Described,
): Setting<unknown> {
  return { trust: 'user', ...described, default: described.default ?? null, kind };
}
