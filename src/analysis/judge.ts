import type { Check, Finding, Outcome, Verdict } from './check.ts';
import type { Evidence } from './evidence.ts';
import { plural } from './plural.ts';

/**
 * Judges the evidence by each check, in order. A check that saw less than it needs is `inconclusive`, never
 * a pass; one that breaks down is `invalid`, so that odd evidence can't end the judging. An empty list of
 * checks is the caller's error and throws: a run of zero checks proves nothing.
 */
export function judgeAll(checks: readonly Check[], evidence: Evidence): Verdict[] {
  if (checks.length === 0) throw new RangeError('there is no check to judge by');
  return checks.map((check) => judgeOne(check, evidence));
}

function judgeOne(check: Check, evidence: Evidence): Verdict {
  const { id, title } = check;
  try {
    const finding = check.judge(evidence);
    const { observed, violations } = finding;
    const outcome = outcomeOf(check, finding);
    const note = noteOf(check, finding, outcome);
    return { id, title, outcome, observed, violations, ...(note !== undefined && { note }) };
  } catch (error) {
    const note = `the check itself broke down: ${error instanceof Error ? error.message : String(error)}`;
    return { id, title, outcome: 'invalid', observed: 0, violations: [], note };
  }
}

/** What contradicts the claim counts however little was seen; only a clean finding can be too thin. */
function outcomeOf(check: Check, { violations, skipped, observed }: Finding): Outcome {
  if (violations.length > 0) return 'fail';
  if (skipped !== undefined) return 'skipped';
  return observed < check.least ? 'inconclusive' : 'pass';
}

function noteOf(check: Check, finding: Finding, outcome: Outcome): string | undefined {
  if (outcome === 'skipped') return finding.skipped;
  if (outcome !== 'inconclusive') return finding.note;
  const thin = `needs at least ${plural(check.least, 'observation')}, saw ${finding.observed}`;
  return finding.note === undefined ? thin : `${thin}; ${finding.note}`;
}
