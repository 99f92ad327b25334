/** What differs between two bundles: verdicts, checks that came out otherwise, where they come from, how much was seen. */
import { OperatorError } from '../../errors.ts';
import { countFates } from '../report/selftest-markdown.ts';
import { selftestSchema } from '../selftest/selftest-record.ts';
import { MATRIX } from '../selftest/stored-matrix.ts';
import {
  type ProvenanceDocument,
  provenanceDocumentSchema,
  runsDocumentSchema,
  type Summary,
  summarySchema,
} from './documents.ts';
import { SIGNATURE } from './layout.ts';
import { LIMITS } from './limits.ts';
import { Refusal } from './refusal.ts';
import { type Contents, documentIn, mustAgree, unpack } from './verify.ts';

export interface Difference {
  /** Where, such as `repro-go/ROUTE-01` or `provenance: node`. */
  readonly what: string;
  /** Null where it is in the other bundle only. */
  readonly a: string | null;
  readonly b: string | null;
}

export interface BundleDiff {
  readonly same: boolean;
  readonly verdicts: readonly Difference[];
  readonly checks: readonly Difference[];
  readonly provenance: readonly Difference[];
  readonly counts: readonly Difference[];
}

/** Compares what two bundles say of themselves. Throws CHECK_FAILED for one whose inventory is not in order. */
export async function diffBundles(a: string, b: string): Promise<BundleDiff> {
  const [left, right] = await Promise.all([factsOf(a), factsOf(b)]);
  // What only one of them has run is said once, and not of each of its checks and libraries.
  const shared = new Set(left.suites.filter((suite) => right.suites.includes(suite)));
  const differing = (part: Part): Difference[] => differences(left[part], right[part], shared);
  const parts = {
    verdicts: differing('verdicts'),
    checks: differing('checks'),
    provenance: differing('provenance'),
    counts: differing('counts'),
  };
  return { same: Object.values(parts).every(({ length }) => length === 0), ...parts };
}

interface Fact {
  readonly what: string;
  readonly value: string;
  /** Where it is one of many about a run: its suite. */
  readonly suite?: string;
}

interface Facts extends Record<Part, readonly Fact[]> {
  /** Of which there is a run. */
  readonly suites: readonly string[];
}

async function factsOf(file: string): Promise<Facts> {
  try {
    return await readFacts(file);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new OperatorError('CHECK_FAILED', `${file} is refused: ${error.message}`, {
      hint: 'Look at it with "ccp-uat bundle verify".',
      cause: error,
    });
  }
}

type Part = 'verdicts' | 'checks' | 'provenance' | 'counts';

async function readFacts(file: string): Promise<Facts> {
  const contents = await unpack(file, { limits: LIMITS, holds: isMatrix });
  const manifest = mustAgree(contents);
  const summary = documentIn(contents, 'summary.json', summarySchema);
  const { runs } = documentIn(contents, 'run.json', runsDocumentSchema);
  return {
    suites: summary.runs.map(({ suite }) => suite),
    verdicts: [...verdictsOf(summary), { what: 'signature', value: signatureOf(contents) }],
    checks: runs.flatMap(({ suite, checks }) =>
      checks.map(({ id, outcome }) => ({ what: `${suite}/${id}`, value: outcome, suite })),
    ),
    provenance: originsOf(
      documentIn(contents, 'provenance.json', provenanceDocumentSchema),
      new Map(summary.runs.map(({ run, suite }) => [run, suite])),
    ),
    counts: [
      ...countsOf(summary),
      ...summary.runs.flatMap((run) => saboteursOf(run, contents)),
      { what: 'files', value: String(manifest.files.length) },
    ],
  };
}

const isMatrix = (name: string): boolean => name.endsWith(`/${MATRIX}`);

/** Two are told apart by the hash of the file: whose they are nobody can read off them (RFC 8032). */
function signatureOf({ files }: Contents): string {
  const found = files.get(SIGNATURE);
  return found === undefined ? 'none' : `SHA-256 ${found.sha256.slice(0, 16)}…`;
}

/** Of a self-test what became of its saboteurs; of any other run nothing. */
function saboteursOf({ run, suite }: Summary['runs'][number], contents: Contents): Fact[] {
  const place = `evidence/${run}/${MATRIX}`;
  if (!contents.small.has(place)) return [];
  const counts = countFates(documentIn(contents, place, selftestSchema));
  return Object.entries(counts).map(([fate, count]) => ({
    what: `${suite}: saboteurs ${fate}`,
    value: String(count),
    suite,
  }));
}

function verdictsOf({ outcome, runs, signOff, missing }: Summary): Fact[] {
  return [
    { what: 'bundle', value: outcome },
    ...runs.map((run) => ({ what: run.suite, value: `${run.outcome}, ${run.ending}` })),
    ...signOff.map(({ area, verdict }) => ({ what: `sign-off: ${area}`, value: verdict })),
    ...missing.map(({ what, why }) => {
      const suite = suiteIn(what, runs);
      return {
        what: `missing: ${unnamed(what)}`,
        value: unnamed(why),
        ...(suite !== undefined && { suite }),
      };
    }),
  ];
}

/** The suite that is missing, or of whose run something is. */
function suiteIn(what: string, runs: Summary['runs']): string | undefined {
  const [, missing] = /^suite (.+)$/.exec(what) ?? [];
  // The name of one may be the beginning of another's.
  const named = runs.filter(({ run }) => what.includes(run)).toSorted((a, b) => b.run.length - a.run.length);
  return missing ?? named[0]?.suite;
}

/** Runs of one suite are called otherwise each time. */
const unnamed = (text: string): string => text.replaceAll(/\b\d{8}T\d{6}Z-/g, '');

/** `suites`: by the names of the runs. */
function originsOf({ bundle, runs }: ProvenanceDocument, suites: ReadonlyMap<string, string>): Fact[] {
  const ofRuns = runs.flatMap(({ run, ranBy, seed, upstream, settings }) => {
    const suite = suites.get(run) ?? unnamed(run);
    return Object.entries({ ...flat(ranBy), seed, upstream, ...flat(settings) }).map(([name, value]) => ({
      what: `${suite}: ${name}`,
      value,
      suite,
    }));
  });
  return [...Object.entries(flat(bundle)).map(([what, value]) => ({ what, value })), ...ofRuns];
}

/** Members of members as `a.b`; a list is one line, as what was typed is. */
function flat(value: object, above = ''): Record<string, string> {
  return Object.assign(
    {},
    ...Object.entries(value).map(([name, member]: [string, unknown]) =>
      typeof member === 'object' && member !== null && !Array.isArray(member)
        ? flat(member, `${above}${name}.`)
        : { [`${above}${name}`]: Array.isArray(member) ? member.join(' ') : String(member) },
    ),
  );
}

const countsOf = ({ runs }: Summary): Fact[] =>
  runs.flatMap(({ suite, probes, checks }) => [
    { what: `${suite}: probes`, value: String(probes), suite },
    ...Object.entries(checks).map(([outcome, count]) => ({
      what: `${suite}: ${outcome}`,
      value: String(count),
      suite,
    })),
  ]);

/** `shared`: suites of which both have a run. */
function differences(a: readonly Fact[], b: readonly Fact[], shared: ReadonlySet<string>): Difference[] {
  const [left, right] = [a, b].map(
    (facts) =>
      new Map(
        facts
          .filter(({ suite }) => suite === undefined || shared.has(suite))
          .map(({ what, value }) => [what, value]),
      ),
  );
  return [...new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])]
    .map((what) => ({ what, a: left?.get(what) ?? null, b: right?.get(what) ?? null }))
    .filter((one) => one.a !== one.b);
}
