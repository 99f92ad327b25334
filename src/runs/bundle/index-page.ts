/** `index.html`: the bundle for a person. The verdict first, then what it rests on; no script, nothing from elsewhere. */
import { plural } from '../../analysis/plural.ts';
import { endingWords } from '../ending-words.ts';
import { type Html, html, page } from '../report/html.ts';
import { reproduceLine } from '../report/repeat-line.ts';
import { saboteurWords } from '../report/selftest-markdown.ts';
import { probesOf, seconds } from '../report/verdict-text.ts';
import type { Repository } from '../repository.ts';
import type { RunRecord } from '../run-record.ts';
import { isRed } from '../selftest/selftest-verdicts.ts';
import type { ProvenanceDocument, Redaction, Summary } from './documents.ts';
import { wholeIn } from './sign-off.ts';
import type { JudgedLeg, JudgedRun } from './weigh-evidence.ts';

export interface Told {
  readonly summary: Summary;
  readonly runs: readonly Pick<JudgedRun, 'name' | 'record' | 'selftest' | 'legs'>[];
  readonly provenance: ProvenanceDocument;
  readonly redaction: Redaction;
  readonly repository: Repository;
  /** Paths of the evidence. */
  readonly files: ReadonlySet<string>;
}

export function indexPage(told: Told): string {
  const { summary } = told;
  const { outcome, bundle } = summary;
  const rest = wholeIn(summary).slice(outcome.length);
  const verdict = `${wordFor(outcome)}${rest}`;
  const body = html`<main>
<h1>${rest === '' ? html`<span class="${outcome}">${verdict}</span> ` : html`<span class="open">${verdict}</span><br>`}${bundle}</h1>
${against(told.runs)}
${claims(summary)}
${missing(summary)}
${checklist(summary)}
${told.runs.map((run) => runSection(run, told.files))}
${provenanceSection(told.provenance)}
${redactionSection(told.redaction)}
${repositorySection(told.repository)}
<h2>How to check this</h2>
<p>In the folder of this page: <code>sha256sum -c SHA256SUMS</code>. With ccp-uat: <code>ccp-uat bundle verify ${bundle}.tgz</code>
judges the evidence again and compares every word of this page with it. Unsigned, a bundle proves integrity only against
its own manifest: give <code>--pubkey</code>, or <code>--expect-sha256</code> with the hash that you were told by another way.</p>
</main>`;
  return page({ title: `${verdict} – ${bundle}`, style: STYLE, body });
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['pass', 'PASS'],
  ['fail', 'FAIL'],
  ['inconclusive', 'INCONCLUSIVE'],
  ['open', 'OPEN'],
]);

const wordFor = (verdict: string): string => WORDS.get(verdict) ?? verdict;

/** Each check that is not satisfied, before anything is claimed; the evidence for it stands with its run. */
function against(runs: Told['runs']): Html {
  const wrong = runs.flatMap(({ name, record, selftest }) => [
    ...(selftest?.survivors ?? []).map(
      (saboteur) =>
        html`<li>${mark('fail')} <a href="#${name}">${record.suite}</a>: the saboteur ${saboteur} was not noticed as it must be</li>`,
    ),
    ...record.checks
      .filter(isRed)
      .map(
        ({ id, title, outcome }) =>
          html`<li>${mark(outcome)} <a href="#${name}">${record.suite}/${id}</a>: ${title}</li>`,
      ),
  ]);
  return wrong.length === 0 ? html`` : html`<h2>What is against it</h2><ul>${wrong}</ul>`;
}

/** What a run claims holds for that run; of a bundle that did not pass it is told which one that is. */
function claims({ runs, outcome }: Summary): Html {
  const passed = runs.filter((run) => run.claims.length > 0);
  if (passed.length === 0)
    return outcome === 'pass' ? html`` : html`<p>Nothing is claimed: no run passed.</p>`;
  if (outcome === 'pass')
    return html`<ul>${[...new Set(passed.flatMap((run) => run.claims))].map((claim) => html`<li>${claim}</li>`)}</ul>`;
  return html`<h2>What the runs that passed show</h2><ul>${passed.map(
    (run) => html`<li>${run.suite}: ${run.claims.join(' ')}</li>`,
  )}</ul>`;
}

function missing(summary: Summary): Html {
  if (summary.missing.length === 0) return html`<p>Nothing is missing.</p>`;
  return html`<h2>What is missing</h2>
${table(
  ['what', 'why'],
  summary.missing.map(({ what, why }) => [what, why]),
)}`;
}

function checklist({ signOff }: Summary): Html {
  return html`<h2>Sign-off</h2>
<p>Filled from the verdicts of all runs here; docs/bundle.md says which check belongs to which area. “Open” is for a
person to decide: a check could not say, or one that some suite has was judged in no run here (it stands without a suite).</p>
${table(
  ['area', 'verdict', 'passed', 'against it', 'not judged', 'signed'],
  signOff.map(({ area, verdict, passed, failed, unjudged }) => [
    area,
    mark(verdict),
    String(passed),
    failed.join(', '),
    unjudged.join(', '),
    '☐',
  ]),
)}`;
}

const mark = (verdict: string): Html => html`<b class="${verdict}">${wordFor(verdict)}</b>`;

function runSection(
  { name, record, selftest, legs }: Told['runs'][number],
  files: ReadonlySet<string>,
): Html {
  const report = `evidence/${name}/report.html`;
  const { suite, title, ending, startedAt, ms, checks } = record;
  const matrix = `evidence/${name}/selftest.html`;
  const failed = checks.filter(({ violations }) => violations.length > 0);
  return html`<h2 id="${name}">${mark(record.outcome)} ${suite}</h2>
<p>${title}. Started ${startedAt}, ${seconds(ms)}, ${probesOf(record)}${ending === 'complete' ? '' : `, ${endingWords(ending, ['“', '”'])}`}.
<a href="evidence/${name}/">Evidence</a>${files.has(report) ? html`, <a href="${report}">report</a>` : html``}.</p>
${selftest === null ? html`` : html`<p>The self-test ${saboteurWords(selftest)}${files.has(matrix) ? html` (<a href="${matrix}">which, and by what</a>)` : html``}. The checks below are those of the run that nobody broke; SELFTEST-01 is what became of the saboteurs.</p>`}
${failed.map((check) => violationsOf(check, record))}
${legsSection(legs, name)}
<details><summary>${plural(checks.length, 'check')}</summary>
${table(
  ['check', 'outcome', 'claim', 'seen'],
  checks.map(({ id, outcome: each, title: claim, note, observed }) => [
    id,
    mark(each),
    note === undefined ? claim : `${claim} (${note})`,
    String(observed),
  ]),
)}
</details>`;
}

/** A leg is a run, judged again as the night judged it. */
function legsSection(legs: readonly JudgedLeg[], name: string): Html {
  if (legs.length === 0) return html``;
  const words = (ids: readonly string[]): string => ids.join(', ') || 'none';
  return html`<h3>Red rounds that were kept whole</h3>
<p>“Judged again” is by what is stored of all rounds in one world, without what was under way when the proxy died or the
night was interrupted.</p>
${table(
  ['rounds', 'not satisfied, as told when they ended', 'not satisfied, judged again', 'evidence'],
  legs.map(({ place, told, record }) => [
    told.map(({ round }) => String(round)).join(', '),
    words([...new Set(told.flatMap(({ red }) => red))]),
    record === null ? 'not in this bundle' : words(record.checks.filter(isRed).map(({ id }) => id)),
    record === null ? '–' : html`<a href="evidence/${name}/${place}/">${place}</a>`,
  ]),
)}`;
}

function violationsOf({ id, title, violations }: RunRecord['checks'][number], record: RunRecord): Html {
  return html`<section class="against"><h3>${id}: ${title}</h3>
<ul>${violations.map(
    ({ what, expected, saw = {}, pointers }) => html`<li>${what}
${expected === undefined ? html`` : html`<br>expected: ${expected}`}
${Object.entries(saw).map(([witness, sight]) => html`<br>${witness} saw: ${sight}`)}
${pointers.length === 0 ? html`` : html`<br>look at: ${pointers.join(', ')}`}</li>`,
  )}</ul>
<p>Repeat: <code>${reproduceLine(record, id)}</code></p></section>`;
}

function provenanceSection({ bundle, runs }: ProvenanceDocument): Html {
  const rows = [
    ['put together by', `ccp-uat ${bundle.version} on Node ${bundle.node}, ${commitText(bundle)}`],
    ...runs.flatMap(({ run, ranBy, seed, upstream }) => [
      [
        run,
        `ccp-uat ${ranBy.version} on Node ${ranBy.node}, ${ranBy.platform}, upstream ${upstream}, seed ${seed}`,
      ],
      [run, `Claude Code ${ranBy.claude}`],
    ]),
  ];
  return html`<h2>Where it comes from</h2>
${table(['', ''], rows)}
<p>All of it: <a href="provenance.json">provenance.json</a>.</p>`;
}

const commitText = ({
  commit,
  dirty,
  unsaid,
}: {
  readonly commit: string | null;
  readonly dirty: boolean | null;
  readonly unsaid?: true;
}): string => {
  if (unsaid === true) return 'a checkout of which git would not tell the commit';
  return commit === null ? 'no checkout' : `commit ${commit}${dirty === true ? ', changed since' : ''}`;
};

function redactionSection({ redactions, leftOut, madeAnew }: Redaction): Html {
  const byRule = Map.groupBy(redactions, ({ rule }) => rule);
  const rows = [...byRule].map(([rule, group]) => [
    rule,
    String(group.reduce((sum, { count }) => sum + count, 0)),
    group.map(({ file, place }) => `${file}, ${place}`).join('; '),
  ]);
  return html`<h2>What was taken out</h2>
<details><summary>${plural(redactions.length, 'place')}, ${plural(leftOut.length, 'file')} left out</summary>
${table(['rule', 'times', 'where'], rows)}
${table(
  ['file left out', 'why'],
  leftOut.map(({ file, why }) => [file, why]),
)}
</details>
${madeAnew.length === 0 ? html`` : html`<p>${plural(madeAnew.length, 'report')} made anew for this bundle, from the evidence in it:</p>`}
${table(
  ['report', 'why'],
  madeAnew.map(({ file, why }) => [file, why]),
)}`;
}

function repositorySection({ files, languages, ...commit }: Repository): Html {
  return html`<h2>The source</h2>
<p>${plural(files.length, 'file')}, ${commitText(commit)}. Each of them: <a href="repository.json">repository.json</a>.</p>
${table(
  ['language', 'files', 'bytes'],
  languages.map(({ language, files: count, bytes }) => [language, String(count), String(bytes)]),
)}`;
}

function table(heading: readonly string[], rows: readonly (readonly (string | Html)[])[]): Html {
  if (rows.length === 0) return html``;
  return html`<div class="wide"><table><thead><tr>${heading.map((name) => html`<th>${name}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

const STYLE = `
:root { color-scheme: light dark; --text: #1c2024; --page: #fff; --line: #c9d0d7; --good: #14692f; --bad: #b3261e; --open: #7a4b00; }
@media (prefers-color-scheme: dark) { :root { --text: #e8eaed; --page: #14171a; --line: #3d454d; --good: #7ddc9a; --bad: #ff9d94; --open: #f2c26b; } }
body { margin: 0; padding: 1rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 64rem; margin: 0 auto; }
h1, h2, h3 { line-height: 1.25; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
code { overflow-wrap: anywhere; }
.pass { color: var(--good); } .fail, .invalid { color: var(--bad); } .inconclusive, .open, .skipped { color: var(--open); }
.against { border-left: 4px solid var(--bad); padding-left: 1rem; }
summary { cursor: pointer; }
:focus-visible { outline: 3px solid currentcolor; outline-offset: 2px; }
`;
