/** What is said of a licence: the start-up line, `/readyz`, the metric, and sentences for a person. */
import { rfc3339 } from '../../platform/clock.ts';
import { REASONS, type ReasonCode, sentenceOf } from './reasons.ts';
import type { LicenseState } from './verify.ts';

/** The plan of those who have no licence that counts. */
const COMMUNITY = 'community';

/** The `license` object of `/readyz`. */
export interface LicenseReport {
  readonly ok: boolean;
  readonly plan: string;
  readonly features: readonly string[];
  /** Null where it is ok. */
  readonly reason: ReasonCode | null;
}

export function reportOf(state: LicenseState): LicenseReport {
  return state.ok
    ? { ok: true, plan: state.plan, features: state.features, reason: null }
    : { ok: false, plan: COMMUNITY, features: [], reason: state.reason };
}

/** Labels of `ccp_license_info`. A `kid` that nobody vouches for is no label: a file could hold any number of them. */
export function infoOf(state: LicenseState): { plan: string; kid: string; reason: string } {
  return state.ok
    ? { plan: state.plan, kid: state.kid, reason: '' }
    : { plan: COMMUNITY, kid: state.facts?.kid ?? '', reason: state.reason };
}

/** The start-up line (contract, 7), the same whenever the licence changes. */
export function lineOf(state: LicenseState): string {
  if (!state.ok) return `[license] plan=${COMMUNITY} features=[] reason=${state.reason}`;
  const { plan, features, kid, expiresAt } = state;
  const words = features.map(word).join(',');
  return `[license] plan=${word(plan)} features=[${words}] kid=${word(kid)} expires=${rfc3339(expiresAt)}`;
}

/** What is wrong, where, and what to do: two sentences. */
export function warningOf({ reason, detail, source }: Exclude<LicenseState, { ok: true }>): string {
  return `the licence of ${source} does not count. ${sentenceOf({ reason, detail })}. ${REASONS[reason].remedy}`;
}

/** One word of a line that programs split at spaces, commas and brackets. */
const word = (text: string): string => text.replaceAll(/[\p{C}\p{Z},[\]=]/gu, '_');
