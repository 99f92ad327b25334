/** What a check found, put together: alike violations are one finding, with the exchanges they are about and what these share. */
import { nameOf } from '../../../analysis/check-kit.ts';
import { requestFacts, valueOf } from '../../../analysis/wire.ts';
import type { RunRecord } from '../../run-record.ts';
import type { Case, CaseFile, Violation } from './case-file.ts';

type Verdict = RunRecord['checks'][number];

export interface Finding {
  /** The sentence of the first, without the name of its exchange. */
  readonly what: string;
  readonly count: number;
  /** Those that expect or saw something else than the ones before them. */
  readonly examples: readonly Violation[];
  readonly cases: readonly Case[];
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
        confinedTo: confinement(own, cases),
      };
    })
    .toSorted((a, b) => b.count - a.count);
}

const withoutFigures = (text: string): string => text.replaceAll(/\d+/g, '#');

/** A sentence about an exchange begins with its name, which the link beside it says too. */
function withoutName(what: string, own: readonly Case[]): string {
  for (const { client, probe } of own) {
    const names = [client && nameOf({ client, probe }), probe?.id].filter((name) => name !== undefined);
    const name = names.find((one) => what.startsWith(`${one}: `));
    if (name !== undefined) return what.slice(name.length + 2);
  }
  return what;
}

/** Properties by which exchanges can be told apart; the first that fit are named. */
const PROPERTIES: readonly (readonly [name: string, read: (one: Case) => string | undefined])[] = [
  ['lane', ({ lane }) => lane ?? undefined],
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

function confinement(own: readonly Case[], all: readonly Case[]): string[] {
  if (own.length === 0) return [];
  return PROPERTIES.flatMap(([name, read]) => {
    const values = new Set(own.map(read));
    const [value] = values;
    if (values.size !== 1 || value === undefined) return [];
    const having = all.filter((one) => read(one) === value).length;
    // What everything has tells nothing apart.
    if (having === all.length) return [];
    return [`${name} ${value} (${own.length === having ? `all ${having}` : `${own.length} of ${having}`})`];
  });
}
