import type { Check, Violation } from '../check.ts';
import type { Evidence } from '../evidence.ts';
import { accountOf } from '../exchanges.ts';
import { withoutCredentialShapes } from '../hygiene.ts';

const wholeLines: Check = {
  id: 'LOG-01',
  title: 'Each line of the usage log is whole and valid',
  least: 1,
  needs: ['proxy'],
  judge(evidence) {
    const { bad, events } = evidence.usage;
    const violations: Violation[] = [
      ...bad.map((one) => badLine(one, evidence)),
      ...accountOf(evidence).malformed.map(({ index, problem }) => ({
        what: `not valid by the contract: ${problem}`,
        pointers: [`usage.jsonl, event ${index + 1}`],
      })),
    ];
    return { observed: events.length + bad.length, violations };
  },
};

function badLine(
  { file = 'usage.jsonl', line, problem }: Evidence['usage']['bad'][number],
  { artifacts }: Pick<Evidence, 'artifacts'>,
): Violation {
  const log = artifacts.find(({ place }) => place === file);
  const text = log?.text.split('\n')[line - 1];
  const how = text !== undefined && isTorn(text) ? ', it breaks off' : '';
  return {
    what: `not a usage event: ${problem}${how}`,
    ...(text !== undefined && { saw: { log: bothEnds(withoutCredentialShapes(text)) } }),
    pointers: [`${file}:${line}`],
  };
}

/** Whether braces are left open, those in strings not counted. */
function isTorn(text: string): boolean {
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '');
  return bare.includes('"') || bare.split('{').length > bare.split('}').length;
}

/** As much as a terminal has room for: a line of a log has no spaces to break it at. */
const END_CHARACTERS = 60;

/** They tell a line that was torn from two that became one. */
function bothEnds(text: string): string {
  const rest = text.length - 2 * END_CHARACTERS;
  const shown =
    rest <= 0
      ? text
      : `${text.slice(0, END_CHARACTERS)} … (${rest} characters) … ${text.slice(-END_CHARACTERS)}`;
  return shown.toWellFormed();
}

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
