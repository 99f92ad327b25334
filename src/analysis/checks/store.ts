import type { Granularity, Sample } from '../../protocol/meter.ts';
import type { CompletionEvent } from '../../protocol/usage-event.ts';
import type { Check, Finding, Violation } from '../check.ts';
import type { Evidence } from '../evidence.ts';
import { isJsonObject, type JsonObject } from '../json.ts';
import { type Difference, differences, sampleOf } from '../kept-sample.ts';
import { keyOf, recount, wrongFigures } from '../recount.ts';
import { problemOfLine } from '../usage-line.ts';

const FILE = 'ccp.sqlite3';
const SAMPLES = '/v1/usage/samples';
const GRANULARITIES = ['hour', 'day'] as const satisfies readonly Granularity[];

const oneRow: Check = {
  id: 'STORE-01',
  title: 'Exactly one row of the store for each completion in the log, equal to it in each field',
  least: 1,
  needs: ['proxy'],
  judge: (evidence) =>
    overStore(evidence, (rows) => {
      const completions = completionsOf(evidence);
      // What is on disk and what the proxy says of it are two claims.
      const told = lastMeter(evidence)?.samples.filter(isJsonObject) ?? [];
      return {
        observed: rows.length,
        violations: [...againstLog(rows, completions, FILE), ...againstLog(told, completions, SAMPLES)],
      };
    }),
};

function againstLog(
  records: readonly object[],
  completions: readonly CompletionEvent[],
  where: string,
): Violation[] {
  const byRid = Map.groupBy(records, ridOf);
  const known = new Set(completions.map(({ rid }) => rid));
  const strangers = [...byRid.keys()].filter((rid) => !known.has(rid));
  return [
    ...completions.flatMap((completion) => misKept(completion, byRid.get(completion.rid) ?? [], where)),
    ...strangers.map((rid) => ({
      what: `${where} holds an exchange of which the log has no completion`,
      pointers: [`rid:${rid}`],
    })),
  ];
}

function misKept(completion: CompletionEvent, records: readonly object[], where: string): Violation[] {
  const pointers = [`rid:${completion.rid}`, where];
  const [record] = records;
  if (record === undefined || records.length > 1) {
    const what = `${where} holds the exchange ${records.length} times`;
    return [{ what, expected: 'once', pointers }];
  }
  // The API may tell times as text.
  const { ts } = { ts: undefined, ...record } as { ts: unknown };
  const seen = typeof ts === 'string' ? { ...record, ts: Date.parse(ts) } : record;
  return differences(sampleOf(completion), seen).map(({ field, expected, seen: value }: Difference) => ({
    what: `${where}: ${field} is not what the log says`,
    expected,
    saw: { store: value },
    pointers,
  }));
}

const ridOf = (record: object): string => ('rid' in record ? String(record.rid) : 'without an id');

const rollups: Check = {
  id: 'STORE-02',
  title: 'Rollups of hours and days equal a recount of the rows, percentiles to within 2 %',
  // One of each granularity.
  least: 2,
  needs: ['proxy'],
  judge: (evidence) =>
    overStore(evidence, (rows) => {
      const judged = GRANULARITIES.map((granularity) => againstRows(granularity, rows, evidence));
      return {
        observed: judged.reduce((sum, { observed }) => sum + observed, 0),
        violations: judged.flatMap(({ violations }) => violations),
      };
    }),
};

function againstRows(
  granularity: Granularity,
  rows: readonly Sample[],
  evidence: Evidence,
): Pick<Finding, 'observed' | 'violations'> {
  const where = `/v1/usage/rollups?granularity=${granularity}`;
  const told = toldRollups(lastMeter(evidence)?.[granularity]);
  const expected = new Map(recount(rows, granularity).map((rollup) => [keyOf(rollup), rollup]));
  const missing = [...expected.keys()].filter((key) => !told.some((one) => keyOf(one.place) === key));
  const violations = told.flatMap(({ place, figures }, index): Violation[] => {
    const key = keyOf(place);
    const rollup = expected.get(key);
    if (rollup === undefined) return [{ what: `${where}: ${key} has no row`, pointers: [where] }];
    if (told.findIndex((one) => keyOf(one.place) === key) !== index)
      return [{ what: `${where}: ${key} is told twice`, pointers: [where] }];
    return wrongFigures(rollup, figures).map((wrong) => ({
      what: `${where}: ${key} does not equal a recount (${wrong})`,
      pointers: [where, FILE],
    }));
  });
  return {
    observed: told.length,
    violations: [
      ...violations,
      ...missing.map((key) => ({ what: `${where}: ${key} is not told of`, pointers: [where] })),
    ],
  };
}

function toldRollups(answer: unknown) {
  const list = isJsonObject(answer) && Array.isArray(answer['rollups']) ? answer['rollups'] : [];
  return list.filter(isJsonObject).map((figures: JsonObject) => {
    const { start, lane, model } = figures;
    return {
      figures,
      place: {
        start: typeof start === 'number' ? start : Date.parse(String(start)),
        lane: String(lane),
        model: typeof model === 'string' ? model : null,
      },
    };
  });
}

/** Judges what the store holds; without one the check is skipped, unless there was to be one. */
function overStore({ store }: Pick<Evidence, 'store'>, judge: (rows: readonly Sample[]) => Finding): Finding {
  if (store.kind === 'none') return { observed: 0, violations: [], skipped: store.why };
  if (store.kind === 'read') return judge(store.rows);
  return {
    observed: 0,
    violations: [{ what: `the store cannot be read: ${store.problem}`, pointers: [FILE] }],
  };
}

/** What the last life said: it has the store of all before it. */
export const lastMeter = ({ lives }: Pick<Evidence, 'lives'>) => lives.at(-1)?.answers.meter ?? undefined;

export function completionsOf({ usage }: Pick<Evidence, 'usage'>): CompletionEvent[] {
  return usage.events.filter(
    (event): event is CompletionEvent => event.event === 'completion' && problemOfLine(event) === undefined,
  );
}

export const STORE_CHECKS: readonly Check[] = [oneRow, rollups];
