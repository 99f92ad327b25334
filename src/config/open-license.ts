/** The licence from loaded settings: the same for the proxy and for the commands that only look. */
import {
  createLicense,
  inspect,
  type LicenseFeature,
  type LicenseOptions,
} from '../features/license/license.ts';
import { knownKeys, type PublicKeys } from '../features/license/public-keys.ts';
import { type Reading, readPack, readPair } from '../features/license/read-pack.ts';
import { chooseSource, type Given, type LicenseSource } from '../features/license/sources.ts';
import { type LicenseState, stateAt, verifyPack } from '../features/license/verify.ts';
import type { LoadedCcp } from './ccp-settings.ts';
import { lookAtSmallFile } from './read-small-file.ts';
import type { Source } from './resolve-settings.ts';

export { featuresOf, type LicenseFeature } from '../features/license/license.ts';
export { MAX_PACK_BYTES } from '../features/license/read-pack.ts';
export { REASONS, sentenceOf } from '../features/license/reasons.ts';
export { reportOf } from '../features/license/report.ts';
export { looksLikeSignature } from '../features/license/sources.ts';
export { removePack, storePack } from '../features/license/store.ts';
export type { LicenseFacts, LicenseState } from '../features/license/verify.ts';
export { ZAI_OFFLOAD } from '../protocol/license.ts';

/** The licence as the proxy follows it; says on the log what it is worth. */
export function openLicense(
  loaded: LoadedCcp,
  { clock, log }: Pick<LicenseOptions, 'clock' | 'log'>,
): LicenseFeature {
  return createLicense({ ...readerOf(loaded), clock, log });
}

/** What the licence is worth at `now` (epoch milliseconds), as the proxy would judge it. */
export function judgeLicense(loaded: LoadedCcp, now: number): LicenseState {
  const reader = readerOf(loaded);
  return stateAt(inspect(reader), now, reader.source.label);
}

/** What `content` would be worth at `now` (epoch milliseconds) if it were stored: a pack, or an issuer's answer. */
export function examinePack(loaded: LoadedCcp, content: string | Uint8Array, now: number): LicenseState {
  return worthOf(readPack(Buffer.from(content)), loaded, now);
}

/** The same for a licence and a signature that come apart. */
export function examinePair(loaded: LoadedCcp, { license, signature }: Pair, now: number): LicenseState {
  return worthOf(readPair(license, signature), loaded, now);
}

export interface Pair {
  readonly license: Uint8Array;
  readonly signature: Uint8Array;
}

function worthOf(reading: Reading, loaded: LoadedCcp, now: number): LicenseState {
  const found = reading.ok ? verifyPack(reading.pack, keysOf(loaded)) : reading;
  return stateAt(found, now, 'this licence');
}

const keysOf = ({ settings }: LoadedCcp): PublicKeys => knownKeys(settings.licensePubkeys);

const readerOf = (loaded: LoadedCcp): Pick<LicenseOptions, 'source' | 'keys' | 'read'> => ({
  source: sourceOf(loaded),
  keys: keysOf(loaded),
  read: lookAtSmallFile,
});

/** The place of the licence that counts here, whether there is one or not. */
export function sourceOf({ settings, sources, paths }: LoadedCcp): LicenseSource {
  return chooseSource({
    license: given(settings.licenseJson, sources.licenseJson),
    signature: given(settings.licenseSig, sources.licenseSig),
    pack: given(settings.licensePack, sources.licensePack),
    storedPath: paths.licensePack,
  });
}

function given<T>(value: T | null, { kind, name, label }: Source): Given<T> | null {
  return value === null ? null : { value, byFlag: kind === 'flag', name: name ?? label };
}
