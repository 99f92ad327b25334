import { resolve } from 'node:path';
import type { LoadedCcp } from '../../../config/ccp-settings.ts';
import { OperatorError } from '../../../errors.ts';
import { parseSigningKey, readSeedFile, type SigningKey } from '../../../issuer/signing-key.ts';

/** The signing key: of the file that was named, else of the variable. Throws `CONFIG`. */
export function signingKey({ secrets, paths }: LoadedCcp, seedFile: string | undefined): SigningKey {
  if (seedFile !== undefined) return readSeedFile(resolve(paths.cwd, seedFile));
  const text = secrets.get('CCP_ISSUER_SEED');
  if (text !== null) return parseSigningKey(text, 'CCP_ISSUER_SEED');
  throw new OperatorError('CONFIG', 'no signing seed is given', {
    hint: 'Name a file with --seed-file ("ccp issuer keygen --out FILE" makes one), or set CCP_ISSUER_SEED.',
  });
}
