import type { Check, Violation } from '../check.ts';
import { about, completionOf, pointerTo } from '../check-kit.ts';
import type { Evidence, ProxyLife } from '../evidence.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { voicesOf } from '../license-voices.ts';
import { answersOf, isDuring, saidBy } from '../lives.ts';
import { parseMetrics } from '../prometheus.ts';
import { isHaiku, requestFacts } from '../wire.ts';

const FEATURE = 'zai_offload';

const gate: Check = {
  id: 'LICENSE-01',
  title: 'What the licence bars went to Anthropic as license_block, and nothing else was barred',
  // Requests that the gate decides on.
  least: 1,
  needs: ['upstream', 'proxy'],
  judge(evidence) {
    const recorded = accountOf(evidence).exchanges.filter((exchange) => completionOf(exchange) !== undefined);
    const gated = recorded.filter(({ client }) => isHaiku(requestFacts(client).model));
    return {
      observed: gated.length,
      violations: [
        ...recorded.flatMap(misjudged),
        ...evidence.lives.flatMap((life) => leaks(life, evidence)),
      ],
    };
  },
};

function misjudged(exchange: Exchange): Violation[] {
  const { probe, decisions, completions, upstream } = exchange;
  const expected = probe?.expectedDecision;
  const said = [...decisions, ...completions].map(({ decision }) => decision);
  const log = { log: [...new Set(said)].join(', ') };
  if (expected === undefined) {
    return said.includes('license_block')
      ? [about(exchange, 'was called barred, which it is not', { saw: log })]
      : [];
  }
  const saw = { ...log, upstream: upstream.map(({ observer }) => observer).join(', ') || 'nothing' };
  return [
    ...(said.every((decision) => decision === expected)
      ? []
      : [about(exchange, 'is barred by the licence, and the log does not say so', { expected, saw })]),
    ...(upstream.length > 0 && upstream.every(({ observer }) => observer === 'anth')
      ? []
      : [
          about(exchange, 'is barred by the licence, and did not go to Anthropic alone', {
            expected: 'anth',
            saw,
          }),
        ]),
  ];
}

/** Whoever they belong to: without the feature the lane is asked whether it is there, and no more. */
function leaks(life: ProxyLife, evidence: Evidence): Violation[] {
  const { kind, expected } = life.license;
  if (expected === null || expected.features.includes(FEATURE)) return [];
  const readiness = new Set(accountOf(evidence).readiness);
  return evidence.upstream
    .filter((one) => one.observer === 'zai' && isDuring(evidence, life, one.startedAt) && !readiness.has(one))
    .map((one) => ({
      what: `Z.AI saw a ${one.request.method} while the licence was ${kind === 'none' ? 'missing' : kind}`,
      expected: 'readiness probes without a credential, and nothing else',
      pointers: [pointerTo(one)],
    }));
}

const voices: Check = {
  id: 'LICENSE-02',
  title: 'Start-up line, /readyz, metrics and `ccp license status` tell of the licence that is there',
  // A target that is not the built-in one has no `ccp license status`.
  least: 3,
  needs: ['proxy'],
  judge(evidence) {
    const heard = evidence.lives.flatMap((life) => {
      const { expected } = life.license;
      return expected === null ? [] : voicesOf(life, expected).map((voice) => ({ life, voice }));
    });
    const violations = heard
      .filter(({ voice: { says, expected } }) => says !== expected)
      .map(({ life, voice: { name, says, expected } }) => ({
        what: `${saidBy(evidence, life, name)} ${says === null ? 'says nothing of a licence' : 'tells of another licence'}`,
        expected,
        saw: { proxy: says ?? 'nothing' },
        pointers: [name === 'start-up line' ? 'proxy.log' : name],
      }));
    const unknown =
      evidence.lives.length > 0 && evidence.lives.every(({ license }) => license.expected === null);
    return {
      observed: heard.length,
      violations,
      ...(unknown && {
        skipped: "the licence is the caller's own, so what is to be said of it is not known",
      }),
    };
  },
};

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

export const LICENSE_CHECKS: readonly Check[] = [gate, voices, restarted];
