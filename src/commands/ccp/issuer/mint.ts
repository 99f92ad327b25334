import { nearestName } from '../../../config/nearest-name.ts';
import { ZAI_OFFLOAD } from '../../../config/open-license.ts';
import { EXIT, OperatorError } from '../../../errors.ts';
import { systemIssuerPorts } from '../../../issuer/issuer.ts';
import { type Grant, grantSchema, mintPack } from '../../../issuer/mint.ts';
import { type Host, printJson, printWarnings } from '../../shared/host.ts';
import { load } from '../load.ts';
import { signingKey } from './key.ts';

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
  const pack = mintPack(grant, { key, now: clock.now(), random });
  const { issued_at, expires_at } = pack.license;
  if (Date.parse(expires_at) <= Date.parse(issued_at)) {
    throw new OperatorError('USAGE', `the licence would end at ${expires_at}, before it is issued`, {
      hint: 'Its end, --days after --not-before, must lie in the future.',
    });
  }
  warnOfFeatures(host, grant.features);
  printJson(host, pack);
  return EXIT.ok;
}

/** A catalog may ask for a feature of its own, so one that is not known is no mistake for certain. */
function warnOfFeatures(host: Host, features: readonly string[]): void {
  const unknown = features.filter((feature) => feature !== ZAI_OFFLOAD);
  const warnings = unknown.map((feature) => {
    const meant = nearestName(feature, [ZAI_OFFLOAD]);
    const hint = meant === null ? `the one that it knows is ${ZAI_OFFLOAD}` : `is ${meant} meant?`;
    return `this version of ccp knows no feature ${feature}, which opens only what a catalog names it for: ${hint}`;
  });
  printWarnings(host, 'ccp', warnings);
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
