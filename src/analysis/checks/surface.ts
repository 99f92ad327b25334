import type { CompletionEvent, Tokens } from '../../protocol/usage-event.ts';
import type { BeneathAnswer } from '../../protocol/witness.ts';
import { sightOfCredentials } from '../carried-credentials.ts';
import type { Check, Violation } from '../check.ts';
import { pointerTo } from '../check-kit.ts';
import type { Evidence } from '../evidence.ts';
import { accountOf, asksForNothing } from '../exchanges.ts';
import { isJsonObject, type JsonObject, parseJson } from '../json.ts';
import { sampleOf } from '../kept-sample.ts';
import { answersOf, isDuring, saidBy } from '../lives.ts';
import { parseMetrics, type Sample } from '../prometheus.ts';
import { isUncounted } from '../recount.ts';
import { problemOfLine } from '../usage-line.ts';
import { requestFacts } from '../wire.ts';

const BUILT_IN = ['anth', 'zai'] as const;

const ready: Check = {
  id: 'READY-01',
  title: '/readyz answers 200 with anth and zai ok, and both upstreams were really asked',
  least: 1,
  needs: ['upstream', 'proxy'],
  judge(evidence) {
    const answers = answersOf(evidence, 'readyz');
    return { observed: answers.length, violations: answers.flatMap((one) => unreadyLife(one, evidence)) };
  },
};

type Answered = ReturnType<typeof answersOf<'readyz'>>[number];

function unreadyLife(answered: Answered, evidence: Evidence): Violation[] {
  const { life, answer } = answered;
  const pointers = [saidBy(evidence, life, '/readyz')];
  const violations: Violation[] = BUILT_IN.flatMap((id) => unready(id, answered, { evidence, pointers }));
  if (answer.status === 200) return violations;
  const saw = { proxy: String(answer.status) };
  return [{ what: '/readyz is not ready', expected: '200', saw, pointers }, ...violations];
}

function unready(
  id: string,
  { life, answer }: Answered,
  { evidence, pointers }: { readonly evidence: Evidence; readonly pointers: readonly string[] },
): Violation[] {
  const entry = entryOf(answer.body, id);
  if (entry?.['ok'] !== true) {
    const reason = typeof entry?.['reason'] === 'string' ? entry['reason'] : 'no entry';
    return [{ what: `/readyz does not call ${id} ok`, saw: { proxy: reason }, pointers }];
  }
  // A readiness that never asked, or heard something else, lies.
  const { readiness, strayUpstream } = accountOf(evidence);
  // A credential has no place on such a request, as others say; asked the upstream was all the same.
  const probes = [...readiness, ...strayUpstream.filter(asksForNothing)].filter(
    ({ observer, startedAt }) => observer === id && isDuring(evidence, life, startedAt),
  );
  if (probes.some(({ response }) => response?.status === entry['status'])) return [];
  const answers = probes.map(({ response }) => response?.status ?? 'no answer').join(', ');
  const saw = { proxy: String(entry['status']), [id]: answers || 'never asked' };
  const at = [...pointers, ...probes.map(pointerTo)];
  return [{ what: `/readyz calls ${id} ok by an answer that it never gave`, saw, pointers: at }];
}

/** The entry of a provider, keyed by its id at the top or under `providers`. */
function entryOf(body: unknown, id: string): JsonObject | undefined {
  if (!isJsonObject(body)) return undefined;
  const providers = isJsonObject(body['providers']) ? body['providers'] : body;
  return isJsonObject(providers[id]) ? providers[id] : undefined;
}

const lanes: Check = {
  id: 'LANES-01',
  title: '`ccp providers` lists the lanes that the run used',
  least: 1,
  needs: ['proxy', 'commands'],
  judge(evidence) {
    const wanted = new Set(['anthropic', 'zai', ...evidence.probes.map(({ expectedLane }) => expectedLane)]);
    const lists = answersOf(evidence, 'providers').map(({ life, answer }) => ({
      life,
      listed: lanesIn(answer),
    }));
    const violations = lists.flatMap(({ life, listed }) =>
      [...wanted]
        .filter((lane) => !listed.has(lane))
        .map((lane) => ({
          what: `\`ccp providers\` does not list the lane ${lane}`,
          pointers: [saidBy(evidence, life, 'ccp providers')],
        })),
    );
    return { observed: lists.reduce((sum, { listed }) => sum + listed.size, 0), violations };
  },
};

/** Every `lane` named anywhere in the document: it is for people and scripts, its shape may grow. */
function lanesIn(document: unknown): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (!isJsonObject(value)) return;
    if (typeof value['lane'] === 'string') found.add(value['lane']);
    Object.values(value).forEach(visit);
  };
  visit(document);
  return found;
}

const metrics: Check = {
  id: 'METRICS-01',
  title: '/metrics adds up with the completions in the log',
  least: 1,
  needs: ['proxy'],
  judge(evidence) {
    // Each process counts from nothing, and all of them write one log.
    const expositions = answersOf(evidence, 'metrics');
    if (expositions.length === 0) return { observed: 0, violations: [] };
    const samples = expositions.flatMap(({ answer }) => parseMetrics(answer));
    const completions = evidence.usage.events.filter(
      (event): event is CompletionEvent => event.event === 'completion' && problemOfLine(event) === undefined,
    );
    const violations = [
      ...unequal('ccp_requests_total', requestsIn(samples), requestsOf(completions)),
      ...unequal('ccp_tokens_total', tokensIn(samples), tokensOfLanes(completions)),
      ...unequal('ccp_uncounted_total', uncountedIn(samples), uncountedOf(completions)),
    ];
    return { observed: completions.length, violations };
  },
};

type Sums = ReadonlyMap<string, number>;

function sumBy<T>(items: Iterable<T>, key: (item: T) => string, value: (item: T) => number): Sums {
  const sums = new Map<string, number>();
  for (const item of items) sums.set(key(item), (sums.get(key(item)) ?? 0) + value(item));
  return sums;
}

const requestsIn = (samples: readonly Sample[]): Sums =>
  sumBy(
    samples.filter(({ name }) => name === 'ccp_requests_total'),
    ({ labels }) => ['lane', 'op', 'status', 'decision'].map((name) => labels[name] ?? '').join(' '),
    ({ value }) => value,
  );

const requestsOf = (completions: readonly CompletionEvent[]): Sums =>
  sumBy(
    completions,
    ({ lane, op, status, decision }) => [lane, op, status, decision].join(' '),
    () => 1,
  );

/** Per lane and kind: the model label is bounded by the proxy, so it may stand for many. */
const tokensIn = (samples: readonly Sample[]): Sums =>
  sumBy(
    samples.filter(({ name, value }) => name === 'ccp_tokens_total' && value > 0),
    ({ labels }) => `${labels['lane'] ?? ''} ${labels['kind'] ?? ''}`,
    ({ value }) => value,
  );

function tokensOfLanes(completions: readonly CompletionEvent[]): Sums {
  const counts = completions.flatMap(({ lane, tokens }) =>
    kindsOf(tokens).map(([kind, count]) => ({ key: `${lane} ${kind}`, count })),
  );
  return sumBy(
    counts,
    ({ key }) => key,
    ({ count }) => count,
  );
}

/** Per lane: of whose tokens nothing is known. */
const uncountedIn = (samples: readonly Sample[]): Sums =>
  sumBy(
    samples.filter(({ name, value }) => name === 'ccp_uncounted_total' && value > 0),
    ({ labels }) => labels['lane'] ?? '',
    ({ value }) => value,
  );

const uncountedOf = (completions: readonly CompletionEvent[]): Sums =>
  sumBy(
    completions.filter((completion) => isUncounted(sampleOf(completion))),
    ({ lane }) => lane,
    () => 1,
  );

const kindsOf = (tokens: Tokens | undefined): [string, number][] =>
  Object.entries(tokens ?? {}).filter(([, count]) => count > 0);

function unequal(metric: string, counted: Sums, logged: Sums): Violation[] {
  return [...new Set([...counted.keys(), ...logged.keys()])]
    .filter((key) => (counted.get(key) ?? 0) !== (logged.get(key) ?? 0))
    .map((key) => ({
      what: `${metric} does not add up with the log for: ${key}`,
      saw: { metrics: String(counted.get(key) ?? 0), log: String(logged.get(key) ?? 0) },
      pointers: ['/metrics', 'usage.jsonl'],
    }));
}

const beneathOwn: Check = {
  id: 'OWN-01',
  title: 'What is not there beneath an endpoint of ccp is refused by ccp itself, and no upstream hears of it',
  least: 1,
  needs: ['upstream', 'proxy', 'commands'],
  judge(evidence) {
    const asked = answersOf(evidence, 'beneath').flatMap(({ life, answer }) =>
      answer.map((one) => ({ ...one, life })),
    );
    const paths = new Set(asked.map(({ path }) => path));
    const relayed = evidence.upstream.flatMap((transcript) => {
      const { path } = requestFacts(transcript);
      const own = [...paths].find((one) => path.endsWith(one));
      if (own === undefined) return [];
      const { words, saw } = sightOfCredentials(transcript, evidence);
      const what = `${transcript.observer} was asked${words} for ${own}, which was for ccp to answer`;
      return [{ what, ...(saw !== undefined && { saw }), pointers: [pointerTo(transcript)] }];
    });
    const violations = asked
      .filter(({ answer }) => !isOwnRefusal(answer))
      .map(({ path, answer, life }) => ({
        what: `${path} was not refused by ccp`,
        expected: '404, a not_found_error of ccp',
        saw: { proxy: answer === null ? 'no answer' : `${answer.status} ${answer.body.slice(0, 200)}` },
        pointers: [saidBy(evidence, life, path)],
      }));
    return { observed: asked.length, violations: [...relayed, ...violations] };
  },
};

/** In the shape of Anthropic's errors, as all that the proxy says itself; and by its name, as upstreams have that shape, too. */
function isOwnRefusal(answer: BeneathAnswer['answer']): boolean {
  const body = parseJson(answer?.body ?? '');
  const error = isJsonObject(body) && body['type'] === 'error' ? body['error'] : undefined;
  if (answer?.status !== 404 || !isJsonObject(error) || error['type'] !== 'not_found_error') return false;
  return typeof error['message'] === 'string' && error['message'].startsWith('ccp: ');
}

export const SURFACE_CHECKS: readonly Check[] = [ready, lanes, metrics, beneathOwn];
