/** What differs between two bundles: verdicts, checks that came out otherwise, where they come from, how much was seen. */
import { OperatorError } from '../../errors.ts';
import {
  type ProvenanceDocument,
  provenanceDocumentSchema,
  runsDocumentSchema,
  type Summary,
  summarySchema,
} from './documents.ts';
import { LIMITS } from './limits.ts';
import { Refusal } from './refusal.ts';
import { documentIn, mustAgree, unpack } from './verify.ts';

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
  const parts = {
    verdicts: differences(left.verdicts, right.verdicts),
    checks: differences(left.checks, right.checks),
    provenance: differences(left.provenance, right.provenance),
    counts: differences(left.counts, right.counts),
  };
  return { same: Object.values(parts).every(({ length }) => length === 0), ...parts };
}

type Facts = ReadonlyMap<string, string>;

async function factsOf(file: string): Promise<Record<Part, Facts>> {
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

async function readFacts(file: string): Promise<Record<Part, Facts>> {
  const contents = await unpack(file, null, LIMITS);
  const manifest = mustAgree(contents);
  const summary = documentIn(contents, 'summary.json', summarySchema);
  const { runs } = documentIn(contents, 'run.json', runsDocumentSchema);
  const checks = runs.flatMap((run) =>
    run.checks.map(({ id, outcome }) => [`${run.suite}/${id}`, outcome] as const),
  );
  return {
    verdicts: verdictsOf(summary),
    checks: new Map(checks),
    provenance: originsOf(documentIn(contents, 'provenance.json', provenanceDocumentSchema)),
    counts: new Map([...countsOf(summary), ['files', String(manifest.files.length)]]),
  };
}

function verdictsOf({ outcome, runs, signOff, missing }: Summary): Facts {
  return new Map([
    ['bundle', outcome],
    ...runs.map((run) => [run.suite, `${run.outcome}, ${run.ending}`] as const),
    ...signOff.map(({ area, verdict }) => [`sign-off: ${area}`, verdict] as const),
    ...missing.map(({ what, why }) => [`missing: ${unnamed(what)}`, unnamed(why)] as const),
  ]);
}

/** Runs of one suite are called otherwise each time. */
const unnamed = (text: string): string => text.replaceAll(/\b\d{8}T\d{6}Z-/g, '');

function originsOf({ bundle, runs }: ProvenanceDocument): Facts {
  const ofRuns = runs.flatMap(({ run, ranBy, seed, upstream, settings }) =>
    Object.entries({ ...flat(ranBy), seed, upstream, ...flat(settings) }).map(
      ([name, value]) => [`${unnamed(run)}: ${name}`, value] as const,
    ),
  );
  return new Map([...Object.entries(flat(bundle)), ...ofRuns]);
}

/** Members of members as `a.b`. */
function flat(value: object, above = ''): Record<string, string> {
  return Object.assign(
    {},
    ...Object.entries(value).map(([name, member]: [string, unknown]) =>
      typeof member === 'object' && member !== null
        ? flat(member, `${above}${name}.`)
        : { [`${above}${name}`]: String(member) },
    ),
  );
}

const countsOf = ({ runs }: Summary): (readonly [string, string])[] =>
  runs.flatMap(({ suite, probes, checks }) => [
    [`${suite}: probes`, String(probes)] as const,
    ...Object.entries(checks).map(([outcome, count]) => [`${suite}: ${outcome}`, String(count)] as const),
  ]);

function differences(a: Facts, b: Facts): Difference[] {
  return [...new Set([...a.keys(), ...b.keys()])]
    .map((what) => ({ what, a: a.get(what) ?? null, b: b.get(what) ?? null }))
    .filter((one) => one.a !== one.b);
}
