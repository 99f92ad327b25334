import { sightOfCredentials } from '../carried-credentials.ts';
import type { Check, Violation } from '../check.ts';
import { about, completionOf, pointerTo } from '../check-kit.ts';
import type { Evidence, ProxyLife } from '../evidence.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { isJsonObject } from '../json.ts';
import { voicesOf } from '../license-voices.ts';
import { isDuring, saidBy } from '../lives.ts';
import { isHaiku, requestFacts } from '../wire.ts';

const FEATURE = 'zai_offload';

const gate: Check = {
  id: 'LICENSE-01',
  title: 'What the licence bars went to Anthropic as license_block, and nothing else was barred',
  // Requests that the gate decides on; in a run that bars any, those that are barred.
  least: 1,
  needs: ['upstream', 'proxy'],
  judge(evidence) {
    const { lives } = evidence;
    // The caller's own licence may open nothing, and then what is barred is barred rightly.
    const shut = lives.flatMap((life) => shutByItsOwn(life) ?? []);
    const decided = accountOf(evidence).exchanges.filter(isDecided);
    const judged = decided.filter(
      ({ client }) => !shut.some(({ life }) => isDuring(evidence, life, client.startedAt)),
    );
    return {
      observed: gatedOf(evidence, judged).length,
      violations: [
        ...judged.flatMap((exchange) => misjudged(exchange, decisionDue(exchange, evidence))),
        ...shut.map(({ life, reason }) => ({
          what: "the caller's own licence does not open the Z.AI lane",
          expected: `a licence with the feature ${FEATURE}`,
          saw: { '/readyz': reason },
          pointers: [saidBy(evidence, life, '/readyz')],
        })),
        ...lives.flatMap((life) => leaks(life, evidence)),
      ],
    };
  },
};

/** Where some life is to bar, what opens the lane in another says nothing of that; what no life tells of says nothing at all. */
function gatedOf(evidence: Evidence, judged: readonly Exchange[]): readonly Exchange[] {
  const { lives } = evidence;
  if (lives.length === 0 || lives.some(isSilent)) return [];
  const barsAny = lives.some(bars);
  return judged.filter(({ client, probe }) =>
    barsAny ? probe?.expectedDecision === 'license_block' : isHaiku(requestFacts(client).model),
  );
}

/** Whether what it had for a licence keeps the lane shut. */
const bars = ({ license: { expected } }: ProxyLife): boolean =>
  expected?.features.includes(FEATURE) === false;

/** What it had for a licence is not on record, as where the run died before it was asked. */
const isSilent = ({ license: { kind, expected } }: ProxyLife): boolean => expected === null && kind !== 'env';

/** Why a proxy with the caller's own licence keeps the lane shut; null where it does not say that it does. */
function shutByItsOwn(life: ProxyLife): { readonly life: ProxyLife; readonly reason: string } | null {
  const { license, answers } = life;
  const said = isJsonObject(answers.readyz?.body) ? answers.readyz.body['license'] : null;
  if (license.kind !== 'env' || !isJsonObject(said)) return null;
  const { features, reason } = said;
  if (Array.isArray(features) && features.includes(FEATURE)) return null;
  return { life, reason: typeof reason === 'string' ? reason : `it is without ${FEATURE}` };
}

/** Whether the gate had its say: a client may leave before. What is on the wire all the same was decided on. */
const isDecided = (exchange: Exchange): boolean =>
  completionOf(exchange) !== undefined && (exchange.decisions.length > 0 || !neverLeft(exchange));

/** Nobody saw it, and by the record nobody can have: an attempt without a status may have ended before anything left. */
const neverLeft = (exchange: Exchange): boolean =>
  exchange.upstream.length === 0 &&
  completionOf(exchange)?.attempts.every(({ status }) => status === undefined) === true;

/** What must be on record: as planned or, where the probe was broken off and is in no account, by model and licence. */
function decisionDue({ probe, client }: Exchange, evidence: Evidence): 'license_block' | undefined {
  if (probe !== undefined)
    return probe.expectedDecision === 'license_block' ? probe.expectedDecision : undefined;
  const life = evidence.lives.find((one) => isDuring(evidence, one, client.startedAt));
  return life !== undefined && bars(life) && isHaiku(requestFacts(client).model)
    ? 'license_block'
    : undefined;
}

function misjudged(exchange: Exchange, expected: 'license_block' | undefined): Violation[] {
  const { decisions, completions, upstream } = exchange;
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
    ...(neverLeft(exchange) || (upstream.length > 0 && upstream.every(({ observer }) => observer === 'anth'))
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
  if (!bars(life)) return [];
  const { kind } = life.license;
  const readiness = new Set(accountOf(evidence).readiness);
  return evidence.upstream
    .filter((one) => one.observer === 'zai' && isDuring(evidence, life, one.startedAt) && !readiness.has(one))
    .map((one) => {
      const { words, saw } = sightOfCredentials(one, evidence);
      return {
        what: `Z.AI saw a ${one.request.method}${words} while the licence was ${kind === 'none' ? 'missing' : kind}`,
        expected: 'readiness probes without a credential, and nothing else',
        ...(saw !== undefined && { saw }),
        pointers: [pointerTo(one)],
      };
    });
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
      evidence.lives.length > 0 && evidence.lives.every(({ license }) => license.kind === 'env');
    return {
      observed: heard.length,
      violations,
      ...(unknown && {
        skipped: "the licence is the caller's own, so what is to be said of it is not known",
      }),
    };
  },
};

export const LICENSE_CHECKS: readonly Check[] = [gate, voices];
