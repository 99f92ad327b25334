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
  const voice = (name: Voice['name'], says: string | null, expected: string): Voice => ({
    name,
    says,
    expected,
  });
  const ready = isJsonObject(readyz?.body) ? readyz.body['license'] : null;
  return [
    voice('start-up line', startUpLine(licenseLines, truth), lineOf(truth)),
    ...(readyz === null ? [] : [voice('/readyz', report(ready), reportOf(truth))]),
    ...(metrics === null ? [] : [voice('ccp_license_info', infoIn(metrics, truth), infoOf(truth))]),
    ...(license === null ? [] : [voice('ccp license status', report(license), reportOf(truth))]),
  ];
}

const WORDS = ['plan', 'features', 'kid', 'expires', 'reason'] as const;

/** The first, which the start printed: a later one tells of a change. */
function startUpLine(lines: readonly string[], { ok, expires }: LicenseClaim): string | null {
  const said = lines
    .map((line) => line.slice(line.indexOf('[license]')))
    .find((line) => line.includes(' plan='));
  if (said === undefined) return null;
  const pairs = new Map([...said.matchAll(/ (\w+)=(\S*)/g)].map(([, key = '', value = '']) => [key, value]));
  if (ok && expires === undefined) pairs.delete('expires');
  return wordsOf(pairs);
}

function lineOf({ plan, features, kid, expires, reason }: LicenseClaim): string {
  const said = { plan, features: `[${features.join(',')}]`, kid, expires, reason: reason ?? undefined };
  return wordsOf(new Map(Object.entries(said)));
}

const wordsOf = (said: ReadonlyMap<string, string | undefined>): string =>
  WORDS.flatMap((key) => {
    const value = said.get(key);
    return value === undefined ? [] : [`${key}=${key === 'expires' ? sameTime(value) : value}`];
  }).join(' ');

/** Times are compared as times. */
function sameTime(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : new Date(ms).toISOString();
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
