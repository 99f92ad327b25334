import { resolve } from 'node:path';
import { readPolicyKey, rollBackOfCache } from '../../../config/open-policy.ts';
import { judgePolicy, readNamedFile, remedyFor } from '../../../config/policy-files.ts';
import { EXIT, OperatorError } from '../../../errors.ts';
import { type Host, plain, printJson } from '../../shared/host.ts';
import { table } from '../../shared/table.ts';
import { load } from '../load.ts';
import { packFacts, packRows } from './facts.ts';

export interface VerifyPolicyOptions {
  readonly file: string;
  readonly sig: string | undefined;
  readonly pubkey: string | undefined;
  readonly json: boolean;
}

/** `ccp policy verify`: exit 1 where a proxy would refuse the pack, also for what its cache here says. Asks nobody. */
export function verifyPolicyFile(host: Host, { file, sig, pubkey, json }: VerifyPolicyOptions): number {
  const loaded = load(host, { policyPubkey: pubkey });
  const { settings } = loaded;
  if (settings.policyPubkey === null) {
    throw new OperatorError('USAGE', 'there is no public key to verify with', {
      hint: 'Give it with --pubkey, or set CCP_POLICY_PUBKEY.',
    });
  }
  const publicKey = readPolicyKey(
    settings.policyPubkey,
    pubkey === undefined ? 'CCP_POLICY_PUBKEY' : '--pubkey',
  );
  const path = resolve(host.cwd, file);
  const pack = readNamedFile(path);
  const signature = readNamedFile(sig === undefined ? `${path}.sig` : resolve(host.cwd, sig));
  const files = { pack, signature, publicKey };
  const alone = judgePolicy(files, Date.now());
  const judged = alone.ok ? (rollBackOfCache(loaded, pack, alone.value) ?? alone) : alone;
  if (json) {
    printJson(
      host,
      judged.ok
        ? { ok: true, reason: null, ...packFacts(judged.value) }
        : { ok: false, reason: judged.reason, detail: judged.detail, remedy: remedyFor(judged, files) },
    );
  } else if (judged.ok) {
    host.out.write(`${host.out.paint('green', 'valid')}: ${plain(path)}\n`);
    host.out.write(table(host.out, ['fact', 'value'], packRows(judged.value)));
  } else {
    host.out.write(
      `${host.out.paint('red', judged.reason)}: ${plain(judged.detail)}\n${remedyFor(judged, files)}\n`,
    );
  }
  return judged.ok ? EXIT.ok : EXIT.failed;
}
