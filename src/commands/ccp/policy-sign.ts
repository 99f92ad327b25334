import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readNamedFile, readSeed, signPolicy } from '../../config/policy-files.ts';
import { EXIT } from '../../errors.ts';
import { type Host, plain, printJson } from '../shared/host.ts';
import { load } from './load.ts';
import { packFacts } from './policy-facts.ts';

export interface SignOptions {
  readonly file: string;
  readonly seedFile: string | undefined;
  readonly json: boolean;
}

/** `ccp policy sign`: writes the signature beside the pack, once it is one that proxies would take. */
export function signPolicyFile(host: Host, { file, seedFile, json }: SignOptions): number {
  const loaded = load(host);
  const path = resolve(host.cwd, file);
  const seed = readSeed(loaded, seedFile === undefined ? null : resolve(host.cwd, seedFile));
  const { pack, signature, publicKey } = signPolicy(readNamedFile(path), seed, Date.now());
  const signatureFile = `${path}.sig`;
  replaceFile(signatureFile, `${signature}\n`);
  if (json) {
    printJson(host, { file: path, signature_file: signatureFile, public_key: publicKey, ...packFacts(pack) });
    return EXIT.ok;
  }
  host.out.write(`Signed version ${pack.version}: ${plain(signatureFile)}\n`);
  host.out.write(`Publish both. Proxies verify with CCP_POLICY_PUBKEY=${publicKey}\n`);
  return EXIT.ok;
}

/** In one step: whoever publishes meanwhile takes the old signature or the new one. */
function replaceFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, text);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
