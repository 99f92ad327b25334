/** What a check found, put together: alike violations are one finding, with the exchanges they are about and what these share. */
import { nameOf } from '../../../analysis/check-kit.ts';
import { requestFacts, valueOf } from '../../../analysis/wire.ts';
import type { RunRecord } from '../../run-record.ts';
import type { Case, CaseFile, Violation } from './case-file.ts';
import { readingsOf } from './readings.ts';

type Verdict = RunRecord['checks'][number];

export interface Finding {
  /** The sentence of the first, without the name of its exchange. */
  readonly what: string;
  readonly count: number;
  /** Those that expect or saw something else than the ones before them. */
  readonly examples: readonly Violation[];
  readonly cases: readonly Case[];
  /** What the witnesses’ bytes say was done to them. */
  readonly readings: readonly string[];
  /** What all of the cases have and others have not, e.g. `lane zai (all 8 there are)`. */
  readonly confinedTo: readonly string[];
}

const MOST_EXAMPLES = 3;

/** The findings of a verdict, the most frequent first. */
export function findingsOf({ violations }: Verdict, { cases, about }: CaseFile): Finding[] {
  const named = violations.map((violation) => {
    const own = about(violation);
    return { violation, own, what: withoutName(violation.what, own) };
  });
  // Figures vary from one to the next: the fourth event here, the sixth there.
  const groups = Map.groupBy(named, ({ what }) => withoutFigures(what));
  return [...groups.values()]
    .map((group) => {
      const own = [...new Set(group.flatMap((one) => one.own))].toSorted((a, b) => a.number - b.number);
      // Of those that differ in figures alone, one.
      const examples = new Map(
        group
          .toReversed()
          .map(({ violation }) => [
            withoutFigures(JSON.stringify([violation.expected, violation.saw])),
            violation,
          ]),
      );
      return {
        what: group[0]?.what ?? '',
        count: group.length,
        examples: [...examples.values()].toReversed().slice(0, MOST_EXAMPLES),
        cases: own,
        readings: readingsAcross(own),
        confinedTo: confinement(own, cases),
      };
    })
    .toSorted((a, b) => b.count - a.count || Number(hasClient(b)) - Number(hasClient(a)));
}

/** What is said of a request is of more use than what is said of a line without one. */
const hasClient = ({ cases }: Finding): boolean => cases.some(({ client }) => client !== undefined);

/** Readings are dear, and the first few exchanges of a finding tell what all of them tell. */
const MOST_READ = 12;
const MOST_READINGS = 3;

/** The most frequent first; one that not all of the exchanges bear out says so. */
function readingsAcross(own: readonly Case[]): string[] {
  const read = own.slice(0, MOST_READ);
  const same = Map.groupBy(read.flatMap(readingsOf), withoutFigures);
  return [...same.values()]
    .toSorted((a, b) => b.length - a.length)
    .slice(0, MOST_READINGS)
    .map((group) => `${group[0]}${group.length < read.length ? ` (${group.length} of ${read.length})` : ''}`);
}

const withoutFigures = (text: string): string => text.replaceAll(/\d+/g, '#');

/** A sentence about an exchange begins with its name, which the link beside it says too. */
function withoutName(what: string, own: readonly Case[]): string {
  for (const { client, probe } of own) {
    const names = [
      ...(client === undefined ? [] : [`${nameOf({ client, probe })}: `]),
      ...(probe === undefined ? [] : [`${probe.id}: `, `probe ${probe.id} (${probe.model}) `]),
    ];
    const name = names.find((one) => what.startsWith(one));
    if (name !== undefined) return what.slice(name.length);
  }
  return what;
}

/** Properties by which exchanges can be told apart; the first that fit are named. */
const PROPERTIES: readonly (readonly [name: string, read: (one: Case) => string | undefined])[] = [
  ['lane', ({ lane }) => lane ?? undefined],
  ['model', ({ model }) => model ?? undefined],
  ['status', ({ answered }) => answered?.response && String(answered.response.status)],
  ['op', ({ completion, client }) => completion?.op ?? (client && requestFacts(client).op)],
  [
    'encoding',
    ({ answered }) =>
      answered?.response && (valueOf(answered.response.headers, 'content-encoding') ?? 'none'),
  ],
  ['scenario', ({ answered }) => answered?.scenario?.split(':', 1)[0]],
  [
    'client',
    ({ client }) => (client === undefined ? undefined : client.observer === 'relay' ? 'Claude Code' : 'raw'),
  ],
  ['decision', ({ completion }) => completion?.decision],
];

/** A property that tells little is left out: so few of those that have it are meant. */
const LEAST_SHARE = 0.2;
const MOST_PROPERTIES = 4;

function confinement(own: readonly Case[], all: readonly Case[]): string[] {
  return PROPERTIES.flatMap(([name, read]) => {
    const values = new Set(own.map(read));
    const [value] = values;
    if (values.size !== 1 || value === undefined) return [];
    const having = all.filter((one) => read(one) === value).length;
    // What everything has tells nothing apart, nor does what one of many has.
    const share = own.length === 1 && having > 1 ? 0 : own.length / having;
    if (having === all.length || share < LEAST_SHARE) return [];
    const how = own.length === having ? `all ${having}` : `${own.length} of ${having}`;
    return [{ share, words: `${name} ${value} (${how})` }];
  })
    .toSorted((a, b) => b.share - a.share)
    .slice(0, MOST_PROPERTIES)
    .map(({ words }) => words);
}
