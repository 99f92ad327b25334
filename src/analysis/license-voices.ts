/** Where a proxy speaks of its licence, and what each of these voices says (contract, sections 7 and 8). */
import type { LicenseClaim } from '../protocol/witness.ts';
import type { ProxyLife } from './evidence.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { parseMetrics } from './prometheus.ts';

export interface Voice {
  readonly name: 'start-up line' | '/readyz' | 'ccp_license_info' | 'ccp license status';
  /** What it says, in the form in which it says the truth; null where it says nothing. */
  readonly says: string | null;
  /** The truth, in that form. */
  readonly expected: string;
}

/** The voices of a life that could be heard at all: a surface that did not answer, or that its target lacks, has none. */
export function voicesOf({ answers, licenseLines }: ProxyLife, truth: LicenseClaim): Voice[] {
  const { readyz, metrics, license } = answers;
  return [
    { name: 'start-up line', says: startUpLine(licenseLines), expected: lineOf(truth) },
    ...(readyz === null
      ? []
      : [
          {
            name: '/readyz',
            says: report(isJsonObject(readyz.body) ? readyz.body['license'] : null),
            expected: reportOf(truth),
          } as const,
        ]),
    ...(metrics === null
      ? []
      : [{ name: 'ccp_license_info', says: infoIn(metrics, truth), expected: infoOf(truth) } as const]),
    ...(license === null
      ? []
      : [{ name: 'ccp license status', says: report(license), expected: reportOf(truth) } as const]),
  ];
}

const WORDS = ['plan', 'features', 'kid', 'expires', 'reason'] as const;

/** The first, which the start printed: a later one tells of a change. Times are compared as times. */
function startUpLine(lines: readonly string[]): string | null {
  const said = lines
    .map((line) => line.slice(line.indexOf('[license]')))
    .find((line) => line.includes(' plan='));
  if (said === undefined) return null;
  const pairs = Object.fromEntries(
    [...said.matchAll(/ (\w+)=(\S*)/g)].map(([, key = '', value]) => [key, value]),
  );
  return WORDS.flatMap((key) => (pairs[key] === undefined ? [] : [`${key}=${timed(key, pairs[key])}`])).join(
    ' ',
  );
}

function lineOf({ features, reason, ...claim }: LicenseClaim): string {
  const said = { ...claim, features: `[${features.join(',')}]`, reason: reason ?? undefined };
  return WORDS.flatMap((key) => (said[key] === undefined ? [] : [`${key}=${timed(key, said[key])}`])).join(
    ' ',
  );
}

function timed(key: string, value: string): string {
  const ms = key === 'expires' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? value : new Date(ms).toISOString();
}

const FIELDS = ['ok', 'plan', 'features', 'reason'] as const;

const report = (said: unknown): string | null => (isJsonObject(said) ? fieldsOf(said) : null);

const reportOf = (truth: LicenseClaim): string => fieldsOf({ ...truth });

const fieldsOf = (said: JsonObject): string =>
  FIELDS.map((key) => `${key}=${JSON.stringify(said[key])}`).join(' ');

/** All its samples that count. Whose key an invalid licence names is nobody's to vouch for, so it is left open. */
function infoIn(metrics: string, { ok }: LicenseClaim): string | null {
  const samples = parseMetrics(metrics).filter(
    ({ name, value }) => name === 'ccp_license_info' && value !== 0,
  );
  if (samples.length === 0) return null;
  const said = samples.map(({ labels: { plan, kid, reason }, value }) =>
    info({ plan, reason, kid: ok ? kid : '' }, value),
  );
  return said.join(', ');
}

const infoOf = ({ plan, kid, reason }: LicenseClaim): string =>
  info({ plan, reason: reason ?? '', kid: kid ?? '' }, 1);

const info = (
  labels: Readonly<Record<'plan' | 'reason' | 'kid', string | undefined>>,
  value: number,
): string => `plan=${labels.plan} kid=${labels.kid} reason=${labels.reason} ${value}`;
