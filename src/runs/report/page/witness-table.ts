/** What each of the three witnesses says of one exchange, fact by fact; where they differ, the row says so. */

import { duration } from '../../../analysis/duration.ts';
import { answerOf, isStream } from '../../../analysis/oracle/answer.ts';
import { tokensOf } from '../../../analysis/oracle/tokens.ts';
import { count } from '../../../analysis/plural.ts';
import { requestFacts } from '../../../analysis/wire.ts';
import type { Payload, Transcript } from '../../../protocol/transcript.ts';
import type { CompletionEvent, Tokens } from '../../../protocol/usage-event.ts';
import { type Html, html } from '../html.ts';
import type { Case } from './case-file.ts';
import { bytes, evidenceText } from './format.ts';
import { ENDING_WORDS } from './witness-timeline.ts';

interface Fact {
  readonly text: string;
  /** What is held against the other witnesses; a fact without one is not compared. */
  readonly key?: string | undefined;
}

interface Row {
  readonly name: string;
  readonly client: Fact | null;
  readonly proxy: Fact | null;
  readonly upstream: Fact | null;
}

export function witnessTable(one: Case): Html {
  const { client, completion, answered, upstream } = one;
  const rows = [...requestRows(one), ...answerRows(one)].filter(
    (row) => row.client !== null || row.proxy !== null || row.upstream !== null,
  );
  const of = upstream.length > 1 ? `, the last of ${upstream.length}` : '';
  return html`<table class="stack facts"><caption>What each witness saw</caption>
<thead><tr><th scope="col"></th>
<th scope="col" class="client">client${client === undefined && html` <small>saw nothing</small>`}</th>
<th scope="col" class="proxy">proxy’s record${completion === undefined && html` <small>none</small>`}</th>
<th scope="col" class="upstream">upstream${answered === undefined ? html` <small>saw nothing</small>` : ` ${answered.observer}${of}`}</th></tr></thead>
<tbody>${rows.map(drawRow)}</tbody></table>`;
}

function drawRow({ name, client, proxy, upstream }: Row): Html {
  const keys = [client, proxy, upstream].flatMap((fact) => fact?.key ?? []);
  const differs = new Set(keys).size > 1;
  const cell = (fact: Fact | null, label: string): Html =>
    html`<td data-label="${label}">${fact === null ? html`<span class="none">–</span>` : evidenceText(fact.text, 300)}</td>`;
  return html`<tr${differs && html` class="differs"`}><th scope="row">${name}${differs && html` <span class="flag">differs</span>`}</th>
${cell(client, 'client')}${cell(proxy, 'proxy')}${cell(upstream, 'upstream')}</tr>`;
}

const same = (text: string | undefined | null): Fact | null =>
  text === undefined || text === null ? null : { text, key: text };
const plain = (text: string | undefined | null): Fact | null =>
  text === undefined || text === null ? null : { text };

function requestRows({ client, completion, answered, upstream, probe }: Case): Row[] {
  const line = (of: Transcript | undefined) => plain(of && `${of.request.method} ${of.request.target}`);
  const version = (of: Transcript | undefined) => plain(of && `HTTP/${of.http}`);
  return [
    {
      name: 'request',
      client: line(client),
      proxy: plain(completion && `${completion.method} ${completion.path}`),
      upstream: line(answered),
    },
    {
      name: 'model',
      client: same(client && requestFacts(client).model),
      proxy: same(completion?.model),
      upstream: same(answered && requestFacts(answered).model),
    },
    {
      name: 'lane',
      client: plain(probe && `${probe.expectedLane} expected`),
      proxy: plain(completion && `${completion.lane}, as ${completion.decision}`),
      upstream: plain(answered && upstream.map(({ observer }) => observer).join(', then ')),
    },
    {
      name: 'attempts',
      client: null,
      proxy: plain(completion && attemptsOf(completion)),
      upstream: plain(upstream.length > 0 ? upstream.map(answerWord).join('; ') : undefined),
    },
    {
      name: 'protocol',
      client: version(client),
      proxy: plain(
        completion?.h2 === undefined ? undefined : completion.h2 ? 'HTTP/2 upstream' : 'HTTP/1.1 upstream',
      ),
      upstream: version(answered),
    },
    {
      name: 'request body',
      client: payload(client?.request.body),
      proxy: plain(completion && bytes(completion.bytes_in)),
      upstream: payload(answered?.request.body),
    },
  ];
}

function answerRows({ client, completion, answered, probe }: Case): Row[] {
  const first = (of: Transcript | undefined) => plain(of?.response && duration(of.response.headMs));
  const end = (of: Transcript | undefined) =>
    plain(of && `${duration(of.endedMs)}, ${ENDING_WORDS[of.ending]}`);
  const tokens = (of: Transcript | undefined) => same(tokenWords(of && tokensOf(answerOf(of))));
  return [
    {
      name: 'status',
      client: same(client?.response && String(client.response.status)),
      proxy: same(completion && String(completion.status)),
      upstream: same(answered?.response && String(answered.response.status)),
    },
    {
      name: 'first byte of the answer',
      client: first(client),
      proxy: plain(completion?.ttfb_ms === undefined ? undefined : duration(completion.ttfb_ms)),
      upstream: first(answered),
    },
    {
      name: 'end',
      client: end(client),
      proxy: plain(
        completion &&
          `${duration(completion.latency_ms)}, ${completion.reason}${completion.err_type === undefined ? '' : `, ${completion.err_type}`}`,
      ),
      upstream: end(answered),
    },
    {
      name: 'answer body',
      client: payload(client?.response?.body),
      proxy: plain(completion && bytes(completion.bytes_out)),
      upstream: payload(answered?.response?.body),
    },
    {
      name: 'events',
      client: eventCount(client),
      proxy: same(completion?.sse && String(completion.sse.events)),
      upstream: eventCount(answered),
    },
    {
      name: 'tokens',
      client: tokens(client),
      proxy: same(tokenWords(completion?.tokens)),
      upstream: tokens(answered),
    },
    {
      name: 'tokens, as the client reports them',
      client: plain(probe?.tokens && `in ${count(probe.tokens.input)}, out ${count(probe.tokens.output)}`),
      proxy: null,
      upstream: null,
    },
    {
      name: 'request-id',
      client: same(client?.requestId),
      proxy: same(completion?.upstream_request_id),
      upstream: same(answered?.requestId),
    },
    { name: 'scenario', client: null, proxy: null, upstream: plain(answered?.scenario) },
  ];
}

function payload(body: Payload | undefined): Fact | null {
  if (body === undefined || body.bytes === 0) return body === undefined ? null : { text: 'empty', key: '' };
  return { text: `${bytes(body.bytes)}, SHA-256 ${body.sha256.slice(0, 12)}…`, key: body.sha256 };
}

function eventCount(of: Transcript | undefined): Fact | null {
  const answer = of !== undefined && isStream(of) ? answerOf(of) : undefined;
  if (answer === undefined) return null;
  return answer.kind === 'stream' ? same(count(answer.events.length)) : plain('cannot be read');
}

function tokenWords(tokens: Tokens | undefined): string | undefined {
  if (tokens === undefined) return undefined;
  const { input, output, cache_read: read, cache_write_5m: short, cache_write_1h: long } = tokens;
  const cache = read + short + long > 0 ? `, cache ${count(read)} read, ${count(short + long)} written` : '';
  return `in ${count(input)}, out ${count(output)}${cache}`;
}

const attemptsOf = ({ attempts }: CompletionEvent): string =>
  attempts
    .map(
      ({ provider, status, err_type: error, ms }) =>
        `${provider} ${status ?? error ?? 'without a status'}, ${duration(ms)}`,
    )
    .join('; ') || 'none';

const answerWord = ({ observer, response, scenario }: Transcript): string =>
  `${observer} ${response?.status ?? 'no answer'}${scenario === undefined ? '' : ` (${scenario})`}`;
