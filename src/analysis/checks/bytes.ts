import type { Payload } from '../../protocol/transcript.ts';
import type { Check, Violation } from '../check.ts';
import { type Answered, about, answeredExchanges, clientLeft, isWithheld } from '../check-kit.ts';
import { differingBodies } from '../differing-bodies.ts';
import type { Evidence } from '../evidence.ts';
import { accountOf, type Exchange } from '../exchanges.ts';
import { isJsonObject } from '../json.ts';
import { tornCharacter } from '../oracle/torn-character.ts';
import { bytesOf, originForm } from '../wire.ts';

const requestBodies: Check = {
  id: 'BYTES-01',
  title: 'Request bodies reach every lane that does not rewrite byte for byte',
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const rewriting = rewritingProviders(evidence);
    const pairs = accountOf(evidence).exchanges.flatMap((exchange) =>
      exchange.upstream
        .filter(({ observer, request }) => !rewriting.has(observer) && request.body.bytes > 0)
        .map((upstream) => ({ exchange, upstream })),
    );
    const violations = pairs.flatMap(({ exchange, upstream }): Violation[] => {
      const [sent, seen] = [exchange.client.request.body, upstream.request.body];
      // An upstream that answered and closed before it read everything saw less, not something else.
      const isPart = upstream.ending !== 'complete' && seen.bytes < sent.bytes;
      if (sent.sha256 === seen.sha256 || isPart) return [];
      const saw = { client: `${sent.bytes} bytes`, [upstream.observer]: `${seen.bytes} bytes` };
      return [about(exchange, 'the request body arrived changed', { saw })];
    });
    return { observed: pairs.length, violations };
  },
};

/** Providers whose catalog entry declares that they rewrite the model (contract, section 4). */
function rewritingProviders({ lives }: Evidence): Set<string> {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (!isJsonObject(value)) return;
    const { id, rewrite_model: rewrite } = value;
    if (typeof id === 'string' && isJsonObject(rewrite) && Object.keys(rewrite).length > 0) found.add(id);
    Object.values(value).forEach(visit);
  };
  visit(lives.map(({ answers }) => answers.providers));
  return found;
}

const responseBodies: Check = {
  id: 'BYTES-02',
  title: 'Response bodies reach the client byte for byte, compression included',
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const answered = answeredExchanges(evidence).filter(
      (exchange) => !isWithheld(exchange) && exchange.client.response !== undefined,
    );
    return { observed: answered.length, violations: answered.flatMap(changedResponse) };
  },
};

function changedResponse(exchange: Answered): Violation[] {
  const { client, answered } = exchange;
  const got = client.response?.body;
  const sent = answered.response.body;
  if (got === undefined || got.sha256 === sent.sha256) return [];
  const mayBePart = clientLeft(exchange) || client.ending === 'timeout' || answered.ending !== 'complete';
  // A lane that broke before its first byte reached the client is replaced by the proxy's own error.
  if (answered.ending !== 'complete' && client.response?.status !== answered.response.status) return [];
  if (mayBePart && isBeginning(got, sent)) return [];
  const torn = tornCharacter(answered, client);
  // An error is a few words, and which of them are others tells what was done; of a stream the events are told.
  const [before, after] =
    answered.response.status >= 400
      ? differingBodies(answered, client)
      : [`${sent.bytes} bytes`, `${got.bytes} bytes`];
  const saw = {
    [answered.observer]: `sent ${before}${torn === null ? '' : `, ${torn.sent}`}`,
    client: `got ${after}${torn === null ? '' : `, ${torn.got}`}`,
  };
  const how = torn === null ? '' : `: a character of ${torn.bytes} bytes was cut`;
  return [about(exchange, `the response body arrived changed${how}`, { saw })];
}

/** Where bodies were not kept, no more than that it is not longer. */
function isBeginning(part: Payload, whole: Payload): boolean {
  const [partBytes, wholeBytes] = [bytesOf(part), bytesOf(whole)];
  if (part.bytes > whole.bytes || partBytes === null || wholeBytes === null) return part.bytes <= whole.bytes;
  return wholeBytes.subarray(0, partBytes.length).equals(partBytes);
}

const targets: Check = {
  id: 'BYTES-03',
  title: 'Path and query reach the upstream byte for byte, below its base path',
  least: 1,
  needs: ['upstream'],
  judge(evidence) {
    const pairs = accountOf(evidence).exchanges.flatMap((exchange) =>
      exchange.upstream.map(({ observer, request }) => ({ exchange, observer, target: request.target })),
    );
    const basePaths = new Map<string, string>();
    const violations = pairs.flatMap(({ exchange, observer, target }): Violation[] => {
      const base = basePathOf(exchange, target);
      if (base !== undefined && !basePaths.has(observer)) basePaths.set(observer, base);
      if (base !== undefined && base === basePaths.get(observer)) return [];
      const saw = { client: exchange.client.request.target, [observer]: target };
      return [about(exchange, 'the target arrived changed', { saw })];
    });
    return { observed: pairs.length, violations };
  },
};

/** What stands before the client's target in the upstream's; undefined where that is no mere prefix. */
function basePathOf({ client }: Exchange, target: string): string | undefined {
  const asked = originForm(client.request.target);
  if (!target.endsWith(asked)) return undefined;
  const base = target.slice(0, target.length - asked.length);
  return base.includes('?') ? undefined : base;
}

export const BYTES_CHECKS: readonly Check[] = [requestBodies, responseBodies, targets];
