/** What can go wrong in what the proxy says of itself: log, readiness, lanes, metrics, output. */
import type { ProxyAnswers } from '../../protocol/witness.ts';
import { createCanaries } from '../canaries.ts';
import type { Fault, FaultContext, ProxyRecords, Saboteur } from '../types/saboteur.ts';
import { onLines, record, withFile } from './edits.ts';
import { DEAD_URL } from './requests.ts';

type Alter = (records: ProxyRecords, context: FaultContext) => ProxyRecords;

const records = (alter: Alter): Fault => ({ layer: 'records', alter });
const answers = (alter: (answers: ProxyAnswers) => Partial<ProxyAnswers>): Fault =>
  records((told) => ({
    ...told,
    lives: told.lives.map((life) => ({ ...life, answers: { ...life.answers, ...alter(life.answers) } })),
  }));

/** Adds to what the target printed last. */
const printed = (told: ProxyRecords, text: string): ProxyRecords => ({
  ...told,
  lives: told.lives.map((life, at) =>
    at === told.lives.length - 1 ? { ...life, output: `${life.output}${text}` } : life,
  ),
});

const scaleTokens = (scale: (kind: string, count: number) => number) =>
  onLines('completion', (line) => ({
    ...line,
    ...('tokens' in line && {
      tokens: Object.fromEntries(
        Object.entries(record(line['tokens'])).map(([kind, count]) => [kind, scale(kind, Number(count))]),
      ),
    }),
  }));

/** Alters the first completion only: one slip among many must be found too. */
function onFirstCompletion(
  alter: (line: Readonly<Record<string, unknown>>) => ReturnType<Parameters<typeof onLines>[1]>,
): Alter {
  return (told) => {
    let met = false;
    return onLines('completion', (line) => {
      if (met) return line;
      met = true;
      return alter(line);
    })(told);
  };
}

const SLIPS: readonly (Pick<Saboteur, 'name' | 'breaks' | 'caughtBy'> & { readonly alter: Alter })[] = [
  {
    name: 'usage-doubled',
    breaks: 'cumulative counts are added up: twice the tokens in the log',
    alter: scaleTokens((_kind, count) => count * 2),
    caughtBy: ['TOKENS-01'],
  },
  {
    name: 'cache-tokens-lost',
    breaks: 'cache reads and writes are not in the log',
    alter: scaleTokens((kind, count) => (kind.startsWith('cache_') ? 0 : count)),
    caughtBy: ['TOKENS-01'],
  },
  {
    name: 'completion-missing',
    breaks: 'one exchange has no completion line',
    alter: onFirstCompletion(() => null),
    caughtBy: ['RECONCILE-02'],
  },
  {
    name: 'completion-doubled',
    breaks: 'one exchange has two completion lines',
    alter: onFirstCompletion((line) => [line, line]),
    caughtBy: ['RECONCILE-02'],
  },
  {
    name: 'line-torn',
    breaks: 'the last line of the log is not whole',
    alter: (told) => withFile(told, 'usage.jsonl', (text) => text.trimEnd().slice(0, -20)),
    caughtBy: ['LOG-01'],
  },
  {
    name: 'lines-interleaved',
    breaks: 'one completion line is written in the middle of another',
    alter: (told) => withFile(told, 'usage.jsonl', interleaved),
    caughtBy: ['LOG-01', 'RECONCILE-02'],
  },
  {
    name: 'failure-logged-as-success',
    breaks: 'a refusal is on record as an answer that came well',
    alter: reasonsAsOk('upstream_error'),
    caughtBy: ['RECONCILE-04'],
  },
  {
    name: 'wrong-lane-label',
    breaks: 'a completion names the other lane',
    alter: onFirstCompletion((line) => ({ ...line, lane: line['lane'] === 'zai' ? 'anthropic' : 'zai' })),
    caughtBy: ['RECONCILE-03'],
  },
  {
    name: 'h2-misreported',
    breaks: 'the log claims the other protocol version',
    alter: onFirstCompletion((line) => ({ ...line, h2: line['h2'] !== true })),
    caughtBy: ['RECONCILE-03'],
  },
  {
    name: 'attempt-unrecorded',
    breaks: 'an upstream request is in no attempt of its record',
    alter: onFirstCompletion((line) => ({ ...line, attempts: [] })),
    caughtBy: ['RECONCILE-01'],
  },
  {
    name: 'header-mode-on-anthropic',
    breaks: 'a record of the Anthropic lane names a header mode',
    alter: onLines('completion', (line) =>
      line['lane'] === 'anthropic' ? { ...line, header_mode: 'x-api-key' } : line,
    ),
    caughtBy: ['HEADER-01'],
  },
  {
    name: 'log-not-rotated',
    breaks: "yesterday's lines are still in the log",
    alter: (told) => {
      const old = told.files.get('usage.jsonl.1') ?? '';
      const files = new Map([...told.files].filter(([name]) => name !== 'usage.jsonl.1'));
      return withFile({ ...told, files }, 'usage.jsonl', (text) => old + text);
    },
    caughtBy: ['LOG-02'],
  },
  {
    name: 'secret-in-output',
    breaks: 'the proxy prints the Z.AI key',
    alter: (told, { canaries }) => printed(told, `key=${canaries.zaiKey}\n`),
    caughtBy: ['HYGIENE-01'],
  },
  {
    name: 'secret-encoded-in-log',
    breaks: "a record holds the client's key in base64",
    alter: (told, { canaries }) =>
      onLines('completion', (line) => ({ ...line, client: btoa(`key:${canaries.anthropicKey}`) }))(told),
    caughtBy: ['HYGIENE-01'],
  },
  {
    name: 'foreign-key-in-output',
    breaks: 'the proxy prints a key that no one planted',
    alter: (told) => printed(told, `${createCanaries('of somebody else').anthropicKey}\n`),
    caughtBy: ['HYGIENE-02'],
  },
];

const ANSWERS: readonly Saboteur[] = [
  {
    name: 'truncation-logged-as-success',
    breaks: 'a stream that lacks its end is on record as whole',
    faults: [records(reasonsAsOk('truncated'))],
    caughtBy: ['RECONCILE-04'],
    scenario: { provider: 'anth', name: 'truncated' },
  },
  {
    name: 'truncation-in-gzip-logged-as-success',
    breaks: 'a compressed stream that lacks its last event is on record as whole',
    faults: [records(reasonsAsOk('truncated'))],
    caughtBy: ['RECONCILE-04'],
    scenario: { provider: 'anth', name: 'gzip-no-stop' },
  },
  {
    name: 'h1-claimed-as-h2',
    breaks: 'upstreams are spoken to in HTTP/1.1, and the log claims HTTP/2',
    faults: [{ layer: 'settings', settings: () => ({ CCP_FORCE_H1: '1' }) }, records(claimsH2)],
    caughtBy: ['RECONCILE-03'],
  },
  {
    name: 'readiness-lies',
    breaks: '/readyz calls Z.AI ok, which was never asked',
    faults: [
      { layer: 'settings', settings: () => ({ CCP_ZAI_BASE_URL: DEAD_URL }) },
      answers(({ readyz }) => ({ readyz: { status: 200, body: claimReady(readyz?.body) } })),
    ],
    caughtBy: ['READY-01'],
  },
  {
    name: 'upstream-dead',
    breaks: 'Z.AI cannot be reached, and /readyz says so',
    faults: [{ layer: 'settings', settings: () => ({ CCP_ZAI_BASE_URL: DEAD_URL }) }],
    caughtBy: ['READY-01'],
  },
  {
    name: 'lane-unlisted',
    breaks: '`ccp providers` leaves the zai lane out',
    faults: [answers(({ providers }) => ({ providers: withoutLane(providers, 'zai') }))],
    caughtBy: ['LANES-01'],
  },
  {
    name: 'metrics-missing',
    breaks: '/metrics does not answer',
    faults: [answers(() => ({ metrics: null }))],
    caughtBy: [],
    blinds: ['METRICS-01'],
  },
  {
    name: 'metrics-short',
    breaks: '/metrics counts one exchange too few',
    faults: [
      answers(({ metrics }) => ({
        metrics:
          metrics?.replace(
            /^(ccp_requests_total\{.*\}) (\d+)/m,
            (_line, series: string, count: string) => `${series} ${Number(count) - 1}`,
          ) ?? null,
      })),
    ],
    caughtBy: ['METRICS-01'],
  },
];

/** Completions with this reason, in the log and in the store, say that all was well. */
function reasonsAsOk(reason: string): Alter {
  const edit = onLines('completion', (line) => {
    const { err_type: _, ...rest } = line;
    return line['reason'] === reason ? { ...rest, reason: 'ok' } : line;
  });
  return (told) => {
    const { store } = told;
    if (store.kind !== 'read') return edit(told);
    const rows = store.rows.map((row) => (row.reason === reason ? { ...row, reason: 'ok' as const } : row));
    return edit({ ...told, store: { ...store, rows } });
  };
}

function claimsH2(told: ProxyRecords): ProxyRecords {
  const attemptsOf = (line: object) => Object.values(record(record(line)['attempts']));
  return onLines('completion', (line) => ({
    ...line,
    h2: true,
    attempts: attemptsOf(line).map((attempt) => ({ ...record(attempt), h2: true })),
  }))(told);
}

/** The second completion, whole, within the first: two writers that do not wait for each other. */
function interleaved(text: string): string {
  const lines = text.split('\n');
  const [first, second] = [...lines.keys()].filter((at) => lines[at]?.includes('"event":"completion"'));
  if (first === undefined || second === undefined) return text;
  const [outer = '', inner = ''] = [lines[first], lines[second]];
  const middle = Math.floor(outer.length / 2);
  return lines
    .with(first, `${outer.slice(0, middle)}${inner}${outer.slice(middle)}`)
    .toSpliced(second, 1)
    .join('\n');
}

/** The body of a readiness in which every provider is fine. */
function claimReady(body: unknown): unknown {
  const claimed = Object.entries(record(body)).map(([key, value]) => {
    const entry = record(value);
    if (key === 'providers') return [key, claimReady(value)];
    return [key, 'ok' in entry ? { ...entry, ok: true, status: 200, reason: 'ok' } : value];
  });
  return Object.fromEntries(claimed);
}

/** A document without the objects that name a lane. */
function withoutLane(document: unknown, lane: string): unknown {
  const kept = JSON.stringify(document, (_key, value: unknown) =>
    Array.isArray(value) ? value.filter((item: unknown) => record(item)['lane'] !== lane) : value,
  );
  return JSON.parse(kept);
}

export const RECORD_SABOTEURS: readonly Saboteur[] = [
  ...SLIPS.map(({ alter, ...saboteur }) => ({ ...saboteur, faults: [records(alter)] })),
  ...ANSWERS,
];
