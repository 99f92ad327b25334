import type { Check, Violation } from '../check.ts';
import { accountOf } from '../exchanges.ts';

const wholeLines: Check = {
  id: 'LOG-01',
  title: 'Each line of the usage log is whole and valid',
  least: 1,
  needs: ['proxy'],
  judge(evidence) {
    const { bad, events } = evidence.usage;
    const violations: Violation[] = [
      ...bad.map(({ line, problem }) => ({
        what: `not a usage event: ${problem}`,
        pointers: [`usage.jsonl:${line}`],
      })),
      ...accountOf(evidence).malformed.map(({ index, problem }) => ({
        what: `not valid by the contract: ${problem}`,
        pointers: [`usage.jsonl, event ${index + 1}`],
      })),
    ];
    return { observed: events.length + bad.length, violations };
  },
};

/** The proxy and the harness read one clock; a line of this run can't be older than its first probe. */
const CLOCK_SLACK_MS = 1_000;

const rotatedBefore: Check = {
  id: 'LOG-02',
  title: 'The usage log was rotated before the run and holds nothing older',
  least: 1,
  needs: ['proxy', 'commands'],
  judge({ usage, probes }) {
    // Without a probe nothing says when the run began, and no line can be called too old.
    const begin =
      probes.reduce((first, { startedAt }) => Math.min(first, startedAt), probes[0]?.startedAt ?? 0) -
      CLOCK_SLACK_MS;
    const violations: Violation[] = usage.events
      .filter(({ ts }) => Date.parse(ts) < begin)
      .map(({ rid, ts }) => ({ what: `a line of ${ts} is older than the run`, pointers: [`rid:${rid}`] }));
    // Of a log that holds nothing it can't be said what was done to it.
    if (!usage.rotatedBefore && usage.events.length > 0) {
      violations.unshift({ what: 'the log was not rotated before the run', pointers: ['usage.jsonl'] });
    }
    return { observed: usage.events.length, violations };
  },
};

export const LOG_CHECKS: readonly Check[] = [wholeLines, rotatedBefore];
