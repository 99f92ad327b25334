/** The licence that counts here, as a program started elsewhere can be given it. */
import { existsSync } from 'node:fs';
import type { Located, LocatedSignature } from '../features/license/sources.ts';
import type { LoadedCcp } from './ccp-settings.ts';
import { sourceOf } from './open-license.ts';

/**
 * The variables by which a program that has no other settings finds this licence, the stored one included, and the
 * configured keys. Paths are absolute; nothing is read.
 */
export function licenseVariables(loaded: LoadedCcp): Readonly<Record<string, string>> {
  const { licensePubkeys } = loaded.settings;
  return {
    ...sourceVariables(loaded),
    ...(licensePubkeys !== null && {
      CCP_LICENSE_PUBKEY_B64: [...licensePubkeys]
        .map(([kid, key]) => `${kid}=${Buffer.from(key).toString('base64')}`)
        .join(','),
    }),
  };
}

function sourceVariables(loaded: LoadedCcp): Readonly<Record<string, string>> {
  const source = sourceOf(loaded);
  switch (source.kind) {
    case 'stored':
      return { CC_LICENSE_PACK: source.path };
    case 'pack':
      return { CC_LICENSE_PACK: textOf(source.pack) };
    case 'pair':
      return {
        ...(source.license !== null && { CC_LICENSE_JSON: textOf(source.license) }),
        ...(source.signature !== null && { CC_LICENSE_SIG: signatureText(source.signature) }),
      };
  }
}

const textOf = (place: Located): string => ('literal' in place ? place.literal : place.path);

/** As the proxy tells them apart: what names no file is the signature itself. */
const signatureText = ({ literal, path }: LocatedSignature): string => (existsSync(path) ? path : literal);
