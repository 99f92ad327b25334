/**
 * What the issuer did, a JSON line each, in `issuer-audit.jsonl`. No code, no key, no e-mail address and no network
 * address is in it: who and which invite stand there as fingerprints, keyed with a key that stays in the state folder.
 * So lines about one person or invite belong together, and the log alone does not say whose they are.
 */
import { createHmac } from 'node:crypto';
import { closeSync, constants, fchmodSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../errors.ts';
import { type Clock, rfc3339 } from '../platform/clock.ts';
import { hasCode } from '../platform/files.ts';
import type { Random } from '../platform/random.ts';

/** By which way a licence was asked for. */
export type Way = 'invite' | 'device' | 'loopback';

export type AuditEvent =
  | { readonly event: 'started' | 'approved' | 'denied'; readonly way: Way }
  | { readonly event: 'refused'; readonly way: Way; readonly why: string }
  | {
      readonly event: 'issued';
      readonly way: Way;
      readonly plan: string;
      readonly kid: string;
      readonly nonce: string;
      readonly expires_at: string;
      readonly invite: string;
      readonly subject: string;
    };

/** The members of an event that are written as fingerprints, as is the address that it came from. */
const PERSONAL = ['invite', 'subject'] as const;

export interface Audit {
  /** Writes one line. Throws what the file system throws: what cannot be recorded is not done. */
  record(event: AuditEvent, from: string): void;
}

const KEY_BYTES = 32;

/** Makes the key and the log where they are missing. Throws `CONFIG` where the key is damaged. */
export function createAudit(stateDir: string, { clock, random }: { clock: Clock; random: Random }): Audit {
  const path = join(stateDir, 'issuer-audit.jsonl');
  const key = fingerprintKey(join(stateDir, 'fingerprint.key'), random);
  const fingerprint = (text: string): string =>
    createHmac('sha256', key).update(text).digest('hex').slice(0, 16);
  append(path, '');
  return {
    record(event, from) {
      const personal = PERSONAL.flatMap((name) =>
        name in event ? [[name, fingerprint(String(Reflect.get(event, name)))]] : [],
      );
      const line = {
        ts: rfc3339(clock.now()),
        ...event,
        ...Object.fromEntries(personal),
        from: fingerprint(from),
      };
      append(path, `${JSON.stringify(line)}\n`);
    },
  };
}

/** Opened for each line: whoever rotates the log needs to tell nobody. */
function append(path: string, text: string): void {
  const fd = openSync(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    fchmodSync(fd, 0o600);
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

function fingerprintKey(path: string, random: Random): Buffer {
  try {
    const fd = openSync(path, 'wx', 0o600);
    try {
      writeSync(fd, random.bytes(KEY_BYTES));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const key = readFileSync(path);
  if (key.length === KEY_BYTES) return key;
  throw new OperatorError('CONFIG', `${path} is damaged`, {
    hint: 'Remove it: a new one is made, and fingerprints in older lines of the audit log no longer match new ones.',
  });
}
