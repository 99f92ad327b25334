import type { HeaderPairs, Transcript } from '../../protocol/transcript.ts';
import type { Check, Violation } from '../check.ts';
import { about, pointerTo } from '../check-kit.ts';
import type { Evidence } from '../evidence.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { formsOf } from '../hygiene.ts';
import { endToEnd, laneOf, valuesOf } from '../wire.ts';

const noHeaderMode: Check = {
  id: 'HEADER-01',
  title: 'No record of the Anthropic lane has a header mode',
  least: 1,
  needs: ['proxy'],
  lane: 'anthropic',
  judge({ usage }) {
    const records = usage.events.filter(({ event, lane }) => event === 'completion' && lane === 'anthropic');
    const violations = records
      .filter((record) => 'header_mode' in record || hasModedAttempt(record))
      .map(({ rid }) => ({
        what: 'a record of the Anthropic lane has a header mode',
        pointers: [`rid:${rid}`],
      }));
    return { observed: records.length, violations };
  },
};

/** An attempt on `anth` inside any record; tolerant of records that LOG-01 will reject. */
function hasModedAttempt(record: Evidence['usage']['events'][number]): boolean {
  const attempts: unknown = 'attempts' in record ? record.attempts : [];
  return (
    Array.isArray(attempts) &&
    record.event === 'completion' &&
    record.attempts.some((attempt) => attempt.provider === 'anth' && 'header_mode' in attempt)
  );
}

const CREDENTIAL_HEADERS = ['authorization', 'x-api-key'] as const;

const ownCredentialsOnly: Check = {
  id: 'HEADER-02',
  title: "Anthropic saw the client's own credentials, every other lane only its own key",
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const { exchanges } = accountOf(evidence);
    const owners = new Map(exchanges.flatMap((exchange) => exchange.upstream.map((one) => [one, exchange])));
    const violations = evidence.upstream.flatMap((transcript) =>
      transcript.observer === 'anth'
        ? judgeAnthropic(transcript, owners.get(transcript), evidence)
        : judgeOther(transcript, evidence),
    );
    return { observed: evidence.upstream.length, violations };
  },
};

function judgeAnthropic(
  transcript: Transcript,
  owner: Exchange | undefined,
  evidence: Evidence,
): Violation[] {
  const violations = leaks(transcript, evidence, (name) => name.startsWith('anthropic-'));
  if (credentialsOf(transcript) === credentialsOf(owner?.client)) return violations;
  const what = owner
    ? "Anthropic was not given the client's own credentials, unchanged"
    : 'a request of the proxy itself carried a credential to Anthropic';
  return [...violations, owner ? about(owner, what) : { what, pointers: [pointerTo(transcript)] }];
}

const credentialsOf = (side: Transcript | undefined): string =>
  JSON.stringify(CREDENTIAL_HEADERS.map((name) => valuesOf(side?.request.headers ?? [], name)));

function judgeOther(transcript: Transcript, evidence: Evidence): Violation[] {
  const { observer, request } = transcript;
  const violations = leaks(transcript, evidence, (name) => name === `${observer}-key`);
  const own = evidence.canaries.find(({ name }) => name === `${observer}-key`)?.value;
  const given = CREDENTIAL_HEADERS.flatMap((name) => valuesOf(request.headers, name));
  const expected = own === undefined ? [] : [own, `Bearer ${own}`];
  const isOwn = given.length === 1 && expected.includes(given[0] ?? '');
  const isProbe = given.length === 0 && request.body.bytes === 0;
  if (own !== undefined && !isOwn && !isProbe) {
    const what = `${observer} expected exactly its own key, saw ${given.length} credential header(s) that do not fit`;
    violations.push({ what, pointers: [pointerTo(transcript)] });
  }
  for (const name of ['cookie', 'proxy-authorization']) {
    if (valuesOf(request.headers, name).length > 0) {
      violations.push({
        what: `${observer} was sent the client's ${name}`,
        pointers: [pointerTo(transcript)],
      });
    }
  }
  return violations;
}

/** Planted secrets in the head of a request that has no business there, in any usual encoding. */
function leaks(
  transcript: Transcript,
  { canaries }: Evidence,
  mayHave: (canary: string) => boolean,
): Violation[] {
  const { target, headers } = transcript.request;
  const places = [
    ['the request target', target],
    ...headers.map(([name, value]) => [name, `${name}: ${value}`]),
  ];
  return canaries
    .filter(({ name }) => !name.startsWith('prompt:') && !mayHave(name))
    .flatMap(({ name, value }) => {
      const forms = formsOf(value);
      const sights = places.flatMap(([place, text = '']) => {
        const found = forms.find((form) => text.includes(form.text));
        if (found === undefined) return [];
        // A name that is the secret must not be told either.
        return [`in ${place?.includes(found.text) === true ? 'the name of a header' : place}, ${found.form}`];
      });
      if (sights.length === 0) return [];
      return {
        what: `${transcript.observer} was sent the ${name}`,
        saw: { [transcript.observer]: sights.join('; ') },
        pointers: [pointerTo(transcript)],
      };
    });
}

/** Rebuilt by the proxy for its own connection, or answered by it. */
const REBUILT = new Set(['host', 'expect', 'x-ccp-token']);

const headersUnchanged: Check = {
  id: 'HEADER-03',
  title: 'End-to-end headers reach Anthropic unchanged, in order, with duplicates',
  least: 1,
  needs: ['upstream'],
  lane: 'anthropic',
  judge(evidence) {
    const pairs = accountOf(evidence).exchanges.flatMap((exchange) =>
      exchange.upstream
        .filter(({ observer }) => laneOf(observer) === 'anthropic')
        .map((upstream) => ({ exchange, upstream })),
    );
    const violations = pairs.flatMap(({ exchange, upstream }) => judgeHeaders(exchange, upstream));
    return { observed: pairs.length, violations };
  },
};

function judgeHeaders(exchange: Exchange, upstream: Transcript): Violation[] {
  const [sent, seen] = [exchange.client, upstream].map((side) => carried(side.request.headers));
  if (sent === undefined || seen === undefined) return [];
  const exact = upstream.http !== '2' && exchange.client.http !== '2';
  const difference = exact ? firstDifference(sent, seen) : firstDifference(merged(sent), merged(seen));
  const length = differentLength(exchange.client.request.headers, upstream.request.headers);
  return [difference, length].flatMap((found) => (found === undefined ? [] : [about(exchange, found)]));
}

const carried = (headers: HeaderPairs): HeaderPairs =>
  endToEnd(headers).filter(
    ([name]) => !REBUILT.has(name.toLowerCase()) && name.toLowerCase() !== 'content-length',
  );

/** HTTP/2 has lower-case names, and joining duplicates means the same (RFC 9110 section 5.3, RFC 9113 section 8.2.3). */
function merged(headers: HeaderPairs): HeaderPairs {
  const names = [...new Set(headers.map(([name]) => name.toLowerCase()))].toSorted();
  return names.map((name) => [name, valuesOf(headers, name).join(name === 'cookie' ? '; ' : ', ')]);
}

/** Names the header at which two lists part; never its value, which may be a credential. */
function firstDifference(sent: HeaderPairs, seen: HeaderPairs): string | undefined {
  const longest = Math.max(sent.length, seen.length);
  for (let i = 0; i < longest; i += 1) {
    const [a, b] = [sent[i], seen[i]];
    if (a?.[0] === b?.[0] && a?.[1] === b?.[1]) continue;
    if (a?.[0] === b?.[0]) return `the value of ${a?.[0]} did not arrive unchanged`;
    return `header ${i + 1} should be ${a?.[0] ?? '(none)'}, Anthropic saw ${b?.[0] ?? '(none)'}`;
  }
  return undefined;
}

/** Content-length may stand elsewhere, and appear where the client sent chunks, but not say something else. */
function differentLength(sent: HeaderPairs, seen: HeaderPairs): string | undefined {
  const [stated] = valuesOf(sent, 'content-length');
  const [arrived] = valuesOf(seen, 'content-length');
  return stated !== undefined && arrived !== undefined && stated !== arrived
    ? `content-length ${stated} arrived as ${arrived}`
    : undefined;
}

export const HEADER_CHECKS: readonly Check[] = [noHeaderMode, ownCredentialsOnly, headersUnchanged];
