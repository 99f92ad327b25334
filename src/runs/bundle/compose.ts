/**
 * What a bundle says, made from its evidence. Pure: a verifier composes the same again, and so finds any word that the
 * evidence does not support.
 */
import { junitXml } from '../report/junit.ts';
import type { Repository } from '../repository.ts';
import {
  type Bundler,
  bundlerSchema,
  type Damaged,
  json,
  type ProvenanceDocument,
  type Redaction,
  repositorySchema,
} from './documents.ts';
import { indexPage } from './index-page.ts';
import { type DocumentName, SCHEMA_VERSION } from './layout.ts';
import type { KnownSuite } from './sign-off.ts';
import { statementOf } from './statement.ts';
import { summarize } from './summary.ts';
import type { Evidence } from './weigh-evidence.ts';

/** What the evidence itself cannot tell. */
export interface Given {
  readonly bundler: Bundler;
  readonly repository: Repository;
  readonly leftOut: Redaction['leftOut'];
  readonly madeAnew: Redaction['madeAnew'];
  readonly damaged: readonly Damaged[];
}

export function compose(
  { runs, redactions, files }: Evidence,
  given: Given,
  suites: readonly KnownSuite[],
): Record<DocumentName, string> {
  const { leftOut, madeAnew, damaged } = given;
  // A verifier reads these back through their forms, in whose order their members then are.
  const [bundler, repository] = [
    bundlerSchema.parse(given.bundler),
    repositorySchema.parse(given.repository),
  ];
  const summary = summarize(runs, suites, damaged);
  const records = runs.map(({ record }) => record);
  const legs = runs.flatMap((run) => run.legs.flatMap(({ record }) => record ?? []));
  const provenance: ProvenanceDocument = {
    v: SCHEMA_VERSION,
    bundle: bundler,
    runs: runs.map(({ name, record: { provenance: ranBy, plan }, toggles }) => ({
      run: name,
      ranBy,
      seed: plan.seed,
      upstream: plan.upstream,
      settings: plan.settings,
      toggles,
    })),
  };
  const redaction: Redaction = {
    v: SCHEMA_VERSION,
    redactions,
    leftOut,
    ...(damaged.length > 0 && { damaged: [...damaged] }),
    madeAnew,
  };
  const { outcome } = summary;
  return {
    'index.html': indexPage({
      summary,
      runs,
      provenance,
      redaction,
      repository,
      files: new Set(files.keys()),
    }),
    'provenance.json': json(provenance),
    'run.json': json({ v: SCHEMA_VERSION, runs: records, ...(legs.length > 0 && { legs }) }),
    'summary.json': json(summary),
    'junit.xml': junitXml(...records),
    'redaction.json': json(redaction),
    'repository.json': json(repository),
    'statement.intoto.json': json(statementOf(runs, { outcome, suites, bundler, files })),
  };
}
