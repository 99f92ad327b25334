import { resolve } from 'node:path';
import type { LoadedCcp } from '../../../config/ccp-settings.ts';
import { parsePolicySeed, readNamedFile, signPolicy, writeSignature } from '../../../config/policy-files.ts';
import { EXIT, OperatorError } from '../../../errors.ts';
import { readSecretFile } from '../../../issuer/signing-key.ts';
import { type Host, plain, printJson } from '../../shared/host.ts';
import { load } from '../load.ts';
import { packFacts } from './facts.ts';

export interface SignOptions {
  readonly file: string;
  readonly seedFile: string | undefined;
  readonly json: boolean;
}

/** `ccp policy sign`: writes the signature beside the pack, once it is one that proxies would take. */
export function signPolicyFile(host: Host, { file, seedFile, json }: SignOptions): number {
  const path = resolve(host.cwd, file);
  const seed = seedOf(load(host), seedFile);
  const { pack, signature, publicKey } = signPolicy(readNamedFile(path), seed, Date.now());
  const signatureFile = `${path}.sig`;
  writeSignature(signatureFile, signature);
  if (json) {
    printJson(host, { file: path, signature_file: signatureFile, public_key: publicKey, ...packFacts(pack) });
    return EXIT.ok;
  }
  host.out.write(`Signed version ${pack.version}: ${plain(signatureFile)}\n`);
  host.out.write(`Publish both. Proxies verify with:\nCCP_POLICY_PUBKEY=${publicKey}\n`);
  return EXIT.ok;
}

/** Of the file that was named, else of the variable. Throws `CONFIG`, never with the seed in it. */
function seedOf({ secrets, paths }: LoadedCcp, seedFile: string | undefined): Buffer {
  if (seedFile !== undefined) {
    const file = resolve(paths.cwd, seedFile);
    return readSecretFile(file, (text) => parsePolicySeed(text, file));
  }
  const text = secrets.get('CCP_POLICY_SEED');
  if (text !== null) return parsePolicySeed(text, 'CCP_POLICY_SEED');
  throw new OperatorError('CONFIG', 'there is no seed to sign with', {
    hint: 'Name its file with --seed-file, or set CCP_POLICY_SEED. "ccp issuer keygen --for policy" makes one.',
  });
}
