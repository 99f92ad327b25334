/** The file that holds the licence, and what a text would be worth as one. */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '../../platform/files.ts';
import { verifyEd25519 } from '../../protocol/ed25519.ts';
import { type LicensePack, licenseBytes, licensePackSchema } from '../../protocol/license.ts';

export type LicenseState =
  | { readonly ok: true; readonly plan: string; readonly features: readonly string[]; readonly kid: string }
  | { readonly ok: false; readonly reason: string; readonly detail: string };

/** Writes a pack (0600) in one step, making its folder (0700). Throws what the file system says. */
export function storePack(path: string, pack: LicensePack): void {
  makeFolder(dirname(path));
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    writeFileSync(draft, `${JSON.stringify(pack, null, 2)}\n`, { flag: 'wx', mode: 0o600, flush: true });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** @param keys public keys as `KID=BASE64[,KID=BASE64…]` */
export function examineText(text: string, keys: string, now: number): LicenseState {
  const parsed = licensePackSchema.safeParse(JSON.parse(text));
  if (!parsed.success) return { ok: false, reason: 'malformed', detail: 'this is no licence pack' };
  const { license, signature } = parsed.data;
  const item = keys.split(',').find((one) => one.startsWith(`${license.kid}=`));
  if (item === undefined)
    return { ok: false, reason: 'unknown_kid', detail: `no public key is known for ${license.kid}` };
  const key = Buffer.from(item.slice(license.kid.length + 1), 'base64');
  if (!verifyEd25519(licenseBytes(license), Buffer.from(signature, 'base64'), key))
    return { ok: false, reason: 'tampered', detail: 'the signature is not that of this licence' };
  if (now >= Date.parse(license.expires_at))
    return { ok: false, reason: 'expired', detail: `it ended ${license.expires_at}` };
  const { plan, features, kid } = license;
  return { ok: true, plan, features, kid };
}
