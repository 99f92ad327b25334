/** `index.html`: the bundle for a person. The verdict first, then what it rests on; no script, nothing from elsewhere. */
import { type Html, html, page } from '../report/html.ts';
import { reproduceLine } from '../report/repeat-line.ts';
import { seconds } from '../report/verdict-text.ts';
import type { Repository } from '../repository.ts';
import type { RunRecord } from '../run-record.ts';
import type { ProvenanceDocument, Redaction, Summary } from './documents.ts';

export interface Told {
  readonly summary: Summary;
  readonly records: readonly RunRecord[];
  readonly provenance: ProvenanceDocument;
  readonly redaction: Redaction;
  readonly repository: Repository;
  /** Paths of the evidence. */
  readonly files: ReadonlySet<string>;
}

export function indexPage(told: Told): string {
  const { summary } = told;
  const verdict = wordFor(summary.outcome);
  const body = html`<main>
<h1><span class="${summary.outcome}">${verdict}</span> ${summary.bundle}</h1>
${claims(summary)}
${missing(summary)}
${checklist(summary)}
${told.records.map((record, index) => runSection(record, summary.runs[index]?.run ?? record.run, told.files))}
${provenanceSection(told.provenance)}
${redactionSection(told.redaction)}
${repositorySection(told.repository)}
<h2>How to check this</h2>
<p>In the folder of this page: <code>sha256sum -c SHA256SUMS</code>. With ccp-uat: <code>ccp-uat bundle verify ${summary.bundle}.tgz</code>
judges the evidence again and compares every word of this page with it. Unsigned, a bundle proves integrity only against
its own manifest: give <code>--pubkey</code>, or <code>--expect-sha256</code> with the hash that you were told by another way.</p>
</main>`;
  return page({ title: `${verdict} ${summary.bundle}`, style: STYLE, body });
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['pass', 'PASS'],
  ['fail', 'FAIL'],
  ['inconclusive', 'INCONCLUSIVE'],
  ['open', 'OPEN'],
]);

const wordFor = (verdict: string): string => WORDS.get(verdict) ?? verdict;

function claims({ runs }: Summary): Html {
  const said = [...new Set(runs.flatMap((run) => run.claims))];
  return said.length === 0 ? html`` : html`<ul>${said.map((claim) => html`<li>${claim}</li>`)}</ul>`;
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
<p>Filled from the verdicts. “Open” is for a person to decide: something was not judged.</p>
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

function runSection(record: RunRecord, name: string, files: ReadonlySet<string>): Html {
  const report = `evidence/${name}/report.html`;
  const { suite, title, outcome, ending, startedAt, ms, checks } = record;
  const failed = checks.filter(({ violations }) => violations.length > 0);
  return html`<h2>${mark(outcome)} ${suite}</h2>
<p>${title}. Started ${startedAt}, ${seconds(ms)}, ${record.probes.length} probes${ending === 'complete' ? '' : `, ended as “${ending}”`}.
<a href="evidence/${name}/">Evidence</a>${files.has(report) ? html`, <a href="${report}">report</a>` : html``}.</p>
${failed.map((check) => violationsOf(check, record))}
<details><summary>${checks.length} checks</summary>
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
}: {
  readonly commit: string | null;
  readonly dirty: boolean | null;
}): string =>
  commit === null ? 'no checkout' : `commit ${commit}${dirty === true ? ', changed since' : ''}`;

function redactionSection({ redactions, leftOut }: Redaction): Html {
  const byRule = Map.groupBy(redactions, ({ rule }) => rule);
  const rows = [...byRule].map(([rule, group]) => [
    rule,
    String(group.reduce((sum, { count }) => sum + count, 0)),
    group.map(({ file, place }) => `${file}, ${place}`).join('; '),
  ]);
  return html`<h2>What was taken out</h2>
<details><summary>${redactions.length} places, ${leftOut.length} files left out</summary>
${table(['rule', 'times', 'where'], rows)}
${table(
  ['file left out', 'why'],
  leftOut.map(({ file, why }) => [file, why]),
)}
</details>`;
}

function repositorySection({ files, languages, ...commit }: Repository): Html {
  return html`<h2>The source</h2>
<p>${files.length} files, ${commitText(commit)}. Each of them: <a href="repository.json">repository.json</a>.</p>
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
