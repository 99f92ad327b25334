/** `policy.json.sig`, the detached signature as it is published: written by us, read by proxies and by who checks it. */
import { replaceFile } from '../../platform/files.ts';
import { type Judged, refuse } from './reasons.ts';

/** 88 characters; some white space may stand around them. */
export const MAX_SIGNATURE_BYTES = 1024;

/** The text of a signature file. As Latin-1, so that a byte order mark is no white space: what is no ASCII is no base64. */
export function readSignature(bytes: Uint8Array): Judged<string> {
  if (bytes.length > MAX_SIGNATURE_BYTES) {
    return refuse('too_large', `the signature has ${bytes.length} bytes`);
  }
  return { ok: true, value: Buffer.from(bytes).toString('latin1').trim() };
}

/** In one step: whoever publishes meanwhile takes the old signature or the new one. Throws what the system says. */
export function writeSignature(path: string, signature: string): void {
  replaceFile(path, `${signature}\n`, { mode: 0o644, durable: false });
}
