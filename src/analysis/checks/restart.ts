import type { Check, Violation } from '../check.ts';
import type { Evidence, ProxyLife } from '../evidence.ts';
import { answersOf, isDuring, saidBy } from '../lives.ts';
import { parseMetrics } from '../prometheus.ts';

const restarted: Check = {
  id: 'RESTART-01',
  title:
    'Between two stages the proxy ended in order and was restarted: another process, which counts from nothing',
  // A pair of lives, the end of the first on record.
  least: 1,
  needs: ['proxy'],
  judge(evidence) {
    const { lives } = evidence;
    const counted = answersOf(evidence, 'metrics').map(({ life, answer }) => ({
      life,
      ...countsOf(life, answer, evidence),
    }));
    const pairs = counted.slice(1).map((later, index) => ({ earlier: counted[index], later }));
    const violations = pairs.flatMap(({ earlier, later: { life, counts, logged } }): Violation[] => {
      const pointers = [saidBy(evidence, life, '/metrics')];
      const what = `stage ${life.stage}`;
      return [
        ...(earlier?.life.pid === life.pid
          ? [
              {
                what: `${what} was served by the process of the stage before it`,
                saw: { proxy: `pid ${life.pid}` },
                pointers,
              },
            ]
          : []),
        ...(counts === logged
          ? []
          : [
              {
                what: `${what} did not begin to count anew`,
                expected: String(logged),
                saw: { metrics: String(counts) },
                pointers,
              },
            ]),
      ];
    });
    return {
      observed: pairs.filter(({ earlier }) => earlier?.life.ending != null).length,
      violations: [...lives.flatMap(disorderly), ...violations],
      ...(lives.length === 1 && { skipped: 'the run has one stage' }),
    };
  },
};

/** A proxy that is asked to end, and has nothing under way, says by its exit code that all was well. */
function disorderly({ stage, ending }: ProxyLife): Violation[] {
  if (ending === null || ending.exitCode === 0) return [];
  const how = ending.exitCode === null ? 'a signal' : `exit code ${ending.exitCode}`;
  return [
    {
      what: `the proxy of stage ${stage} did not end in order when it was asked to`,
      expected: 'exit code 0, before it had to be killed',
      saw: { proxy: `${how} after ${Math.round(ending.ms)} ms` },
      pointers: ['proxy.log'],
    },
  ];
}

/** How many exchanges a life counted, and how many the log has of its time. */
function countsOf(life: ProxyLife, metrics: string, evidence: Evidence): { counts: number; logged: number } {
  const samples = parseMetrics(metrics).filter(({ name }) => name === 'ccp_requests_total');
  const completions = evidence.usage.events.filter(
    ({ event, ts }) => event === 'completion' && isDuring(evidence, life, Date.parse(ts)),
  );
  return { counts: samples.reduce((sum, { value }) => sum + value, 0), logged: completions.length };
}

export const RESTART_CHECKS: readonly Check[] = [restarted];
