import { EXIT, OperatorError } from '../../errors.ts';
import { systemIssuerPorts } from '../../issuer/issuer.ts';
import { type Grant, grantSchema, mintPack } from '../../issuer/mint.ts';
import { type Host, printJson } from '../shared/host.ts';
import { signingKey } from './issuer-key.ts';
import { load } from './load.ts';

export interface MintOptions {
  readonly plan: string;
  readonly feature: readonly string[];
  readonly subject: string;
  readonly days: string;
  readonly notBefore?: string;
  readonly seedFile?: string;
}

/** `ccp issuer mint`: a pack on standard output, as `ccp license set` takes it. */
export function mint(host: Host, options: MintOptions): number {
  const grant = readGrant(options);
  const key = signingKey(load(host), options.seedFile);
  const { clock, random } = systemIssuerPorts((line) => host.err.write(line));
  printJson(host, mintPack(grant, { key, now: clock.now(), random }));
  return EXIT.ok;
}

const FLAGS: Readonly<Record<string, string>> = { notBefore: '--not-before', features: '--feature' };

function readGrant({ plan, feature, subject, days, notBefore }: MintOptions): Grant {
  const parsed = grantSchema.safeParse({
    plan,
    features: feature,
    subject,
    days: /^\d+$/.test(days) ? Number(days) : days,
    notBefore: notBefore ?? null,
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0] ?? '');
  throw new OperatorError('USAGE', `${FLAGS[name] ?? `--${name}`}: ${issue?.message ?? 'not valid'}`);
}
