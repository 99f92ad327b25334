/** The invites that an issuer honours: what each grants, for how long, how often. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { OperatorError } from '../errors.ts';
import { parseJson } from '../protocol/json.ts';
import { grantSchema } from './mint.ts';

const MAX_USES = 100_000;
const USES_ALLOWED = `must be a whole number from 1 to ${MAX_USES}`;

const inviteSchema = z.strictObject({
  ...grantSchema.pick({ plan: true, features: true, days: true }).shape,
  code: z.string().regex(/^[A-Z0-9-]{8,64}$/, 'must be 8 to 64 capital letters, digits and hyphens'),
  max_uses: z.int(USES_ALLOWED).min(1, USES_ALLOWED).max(MAX_USES, USES_ALLOWED),
  expires_at: z.iso.datetime('must be a time like 2030-01-31T00:00:00Z').optional(),
});
const MAX_INVITES = 10_000;
const fileSchema = z.strictObject({ invites: z.array(z.unknown()).min(1).max(MAX_INVITES) });

export interface Invite {
  /** SHA-256 of the code: its name wherever the code itself need not be seen. */
  readonly id: string;
  readonly plan: string;
  readonly features: readonly string[];
  readonly days: number;
  readonly maxUses: number;
  /** Epoch milliseconds; null: never. */
  readonly expiresAt: number | null;
}

export interface Invites {
  readonly count: number;
  /** The invite of a code, in whatever case a person typed it. Takes as long for a wrong code as for a right one. */
  find(code: string): Invite | undefined;
}

/** Reads the content of the invite file `path`. Throws `CONFIG` naming the file and, where one is wrong, the entry. */
export function parseInvites(content: Buffer, path: string): Invites {
  const json = parseJson(content.toString('utf8'));
  const file = fileSchema.safeParse(json);
  if (!file.success) {
    const why = json === undefined ? 'it is not JSON' : FILE_ALLOWED;
    throw new OperatorError('CONFIG', `${path} is no invite file: ${why}`, { hint: EXAMPLE });
  }
  const byId = new Map<string, Invite>();
  for (const [index, entry] of file.data.invites.entries()) {
    const invite = readInvite(entry, `${path}: invites[${index}]`);
    if (byId.has(invite.id))
      throw new OperatorError('CONFIG', `${path}: invites[${index}]: its code is that of an earlier entry`);
    byId.set(invite.id, invite);
  }
  return { count: byId.size, find: (code) => byId.get(idOf(code.trim().toUpperCase())) };
}

function readInvite(entry: unknown, where: string): Invite {
  const parsed = inviteSchema.safeParse(entry);
  if (!parsed.success)
    throw new OperatorError('CONFIG', `${where}: ${sentence(parsed.error)}`, { hint: EXAMPLE });
  const { code, plan, features, days, max_uses: maxUses, expires_at } = parsed.data;
  const expiresAt = expires_at === undefined ? null : Date.parse(expires_at);
  return { id: idOf(code), plan, features, days, maxUses, expiresAt };
}

const FILE_ALLOWED = `it must be an object with one member, "invites", a list of 1 to ${MAX_INVITES} entries`;

const EXAMPLE =
  'An entry is {"code": "TEAM-2030", "plan": "trial", "features": ["zai_offload"], "days": 7, "max_uses": 25} and may have "expires_at".';

const idOf = (code: string): string => createHash('sha256').update(code).digest('hex');

function sentence(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'not valid';
  if (issue.code === 'unrecognized_keys') return `unknown member ${issue.keys[0]}`;
  const isOurs = issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid input');
  const message = isOurs ? issue.message : `must be of type ${issue.expected}`;
  return issue.path.length === 0 ? message : `${issue.path.join('.')}: ${message}`;
}
