/** The first thing that a reader sees: how the run came out, what it claims, and, of a red one, what contradicts that. */

import { duration } from '../../../analysis/duration.ts';
import { count, plural } from '../../../analysis/plural.ts';
import { unclaimed } from '../../claims.ts';
import { endingWords } from '../../ending-words.ts';
import type { Flake, RunRecord } from '../../run-record.ts';
import { type Html, html } from '../html.ts';
import { inOrderOfUse } from '../order-of-use.ts';
import { reproduceLine, resumeLine } from '../repeat-line.ts';
import { countsOf, flakeSentence, probesOf, STAYS_RED } from '../verdict-text.ts';
import type { CaseFile } from './case-file.ts';
import { linkTo } from './exchange.ts';
import { type Finding, findingsOf } from './findings.ts';
import { evidenceText, instant, shown, slug } from './format.ts';

type Verdict = RunRecord['checks'][number];

/** Sign and word, as colour alone tells some readers nothing. */
export const OUTCOMES = {
  pass: ['✓', 'pass'],
  fail: ['✕', 'fail'],
  inconclusive: ['?', 'unsure'],
  invalid: ['!', 'invalid'],
  skipped: ['–', 'skipped'],
} as const satisfies Record<Verdict['outcome'], readonly [sign: string, word: string]>;

const RUN_OUTCOMES = { pass: 'Pass', fail: 'Fail', inconclusive: 'Inconclusive' } as const;

export function badge(outcome: Verdict['outcome']): Html {
  const [sign, word] = OUTCOMES[outcome];
  return html`<span class="badge ${outcome}">${sign} ${word}</span>`;
}

export function verdictHeader(record: RunRecord, cases: CaseFile): Html {
  const { outcome, suite, title, ending, endingNote, startedAt, ms } = record;
  const [sign] = OUTCOMES[outcome];
  const resume = resumeLine(record, record.run);
  return html`<header class="verdict ${outcome}">
<p class="sign" aria-hidden="true">${sign}</p>
<div><h1>${RUN_OUTCOMES[outcome]}<span class="suite">${shown(suite, 80)}</span></h1>
<p class="lead">${shown(title, 200)}</p>
<p class="meta">${countsOf(record)} · ${probesOf(record)} · ${plural(record.night?.exchanges ?? cases.cases.length, 'exchange')} · ${duration(ms)} · ${instant(Date.parse(startedAt))}</p>
${ending !== 'complete' && html`<p class="ending"><strong>The run ${endingWords(ending, ['“', '”'])}</strong>: ${evidenceText(endingNote ?? 'no more is known', 300)}. It is judged by what had been stored.</p>`}
${resume !== null && html`<p class="repeat"><span>go on</span> <code>${shown(resume, 1_000)}</code></p>`}
${claims(record)}</div></header>`;
}

function claims({ outcome, claims: proven, plan }: RunRecord): Html {
  const { proves } = plan;
  if (proves.length === 0) return html`<p class="note">${unclaimed(plan)}</p>`;
  const list = html`<ul class="claims">${(outcome === 'pass' ? proven : proves).map((claim) => html`<li>${shown(claim, 300)}</li>`)}</ul>`;
  return outcome === 'pass'
    ? html`<h2 class="small">What this run shows</h2>${list}`
    : html`<details class="unshown"><summary>It does not show the ${plural(proves.length, 'claim')} of its suite</summary>${list}</details>`;
}

/** Nothing where there is nothing to say. */
export function contradictions(record: RunRecord, cases: CaseFile): Html | null {
  const failed = inOrderOfUse(record.checks.filter(({ outcome }) => outcome === 'fail'));
  const unsure = record.checks.filter(({ outcome }) => outcome === 'inconclusive' || outcome === 'invalid');
  const flaky = record.flaky ?? [];
  if (failed.length + unsure.length + flaky.length === 0) return null;
  return html`<section aria-labelledby="wrong"><h2 id="wrong">What is wrong</h2>
${failed.length > 1 && overview(failed, cases)}
${failed.map((verdict) => failureCard(verdict, record, cases))}
${unsure.length > 0 && record.plan.asked?.selftest !== undefined && TRIAL}
${unsure.map((verdict) => unsureCard(verdict, record))}
${flaky.map((flake) => flakyCard(flake, record))}</section>`;
}

const TRIAL = html`<p class="note">This is a trial of the self-test: as little of the suite as shows what a saboteur does. What is unsure below for want of observations may be so because it was cut short, and need be no trace of the fault.</p>`;

/** All failed checks on the first screen, a line each. */
const overview = (failed: readonly Verdict[], cases: CaseFile): Html =>
  html`<ul class="overview">${failed.map((verdict) => {
    const [first, ...others] = findingsOf(verdict, cases);
    return html`<li><a href="#${slug(`check-${verdict.id}`)}">${verdict.id}</a> <span>${first !== undefined && briefly(first)}${others.length > 0 && html` <small>and ${plural(others.length, 'finding')} more</small>`}</span></li>`;
  })}</ul>`;

function briefly({ what, count: times, readings: [reading], examples: [example] }: Finding): Html {
  const { expected, saw = {} } = example ?? {};
  const short = [
    ...(expected === undefined ? [] : [`expected ${expected}`]),
    // Who saw what was expected is for the card to say.
    ...Object.entries(saw)
      .filter(([, sight]) => sight !== expected)
      .map(([who, sight]) => `${label(who)} ${sight}`),
  ].join('; ');
  return html`${evidenceText(what, 160)}${reading !== undefined ? html` <span class="told">${evidenceText(reading, 160)}</span>` : short !== '' && html` <small>${evidenceText(short, 130)}</small>`}${times > 1 && html` <span class="times">×&nbsp;${count(times)}</span>`}`;
}

/** Findings of one check beyond these are many words for one fault. */
const MOST_FINDINGS = 4;

function failureCard(verdict: Verdict, record: RunRecord, cases: CaseFile): Html {
  const findings = findingsOf(verdict, cases);
  const rest = findings.slice(MOST_FINDINGS);
  return html`<article class="card fail" id="${slug(`check-${verdict.id}`)}" tabindex="-1">
<h3>${badge('fail')} <span class="id">${verdict.id}</span> ${verdict.title}</h3>
${findings.slice(0, MOST_FINDINGS).map(drawFinding)}
${rest.length > 0 && html`<details class="more"><summary>${plural(rest.length, 'finding')} of other kinds</summary>${rest.slice(0, MOST_CASES).map(drawFinding)}</details>`}
${verdict.note !== undefined && html`<p class="note">${evidenceText(verdict.note)}</p>`}
${repeat(record, verdict.id)}</article>`;
}

const unsureCard = ({ id, title, outcome, note = '', observed }: Verdict, record: RunRecord): Html =>
  html`<article class="card ${outcome}" id="${slug(`check-${id}`)}" tabindex="-1">
<h3>${badge(outcome)} <span class="id">${id}</span> ${title}</h3>
<p>${evidenceText(note)}</p><p class="note">It rests on ${plural(observed, 'observation')}.</p>${repeat(record, id)}</article>`;

/** It is no verdict on what was seen, but on the check: chance has decided one of the two. */
const flakyCard = (flake: Flake, record: RunRecord): Html =>
  html`<article class="card inconclusive" id="${slug(`flaky-${flake.check}`)}" tabindex="-1">
<h3><span class="badge inconclusive">~ flaky</span> <span class="id">${flake.check}</span> changed its mind</h3>
<p>${shown(flakeSentence(flake), 300)}. The run is red for it, whatever the check says now. ${STAYS_RED}.</p>
<dl class="where"><dt>before</dt><dd><code>${shown(flake.folder, 200)}</code> (relative to this file’s folder), seed ${shown(flake.seed, 80)}</dd><dt>now</dt><dd>this run, seed ${shown(record.plan.seed, 80)}</dd></dl>
<p class="repeat"><span>repeat</span> <code>${shown(`${reproduceLine(record, flake.check)} --repeat-each 10`, 1_000)}</code></p></article>`;

const repeat = (record: RunRecord, id: string): Html =>
  html`<p class="repeat"><span>repeat</span> <code>${shown(reproduceLine(record, id), 1_000)}</code></p>`;

function drawFinding({ what, count: times, examples, cases, readings, confinedTo }: Finding): Html {
  const [first] = examples;
  return html`<div class="finding"><p class="what">${evidenceText(what, 400)}${times > 1 && html` <span class="times">×&nbsp;${count(times)}</span>`}</p>
${examples.map((example) => sights(example))}
${readings.map((reading) => html`<p class="reading">${evidenceText(reading, 300)}</p>`)}
<dl class="where">${confinedTo.length > 0 && html`<dt>${cases.length === 1 ? 'it has' : 'all have'}</dt><dd>${shown(confinedTo.join(', '), 300)}</dd>`}
${cases.length > 0 && html`<dt>timeline${cases.length > 1 && 's'}</dt><dd>${linksTo(cases)}</dd>`}
${cases.length === 0 && first !== undefined && first.pointers.length > 0 && html`<dt>look at</dt><dd>${shown(first.pointers.join(', '), 300)}</dd>`}</dl></div>`;
}

/** What was expected, and what each witness saw. */
function sights({ expected, saw = {} }: Finding['examples'][number]): Html | null {
  const rows = [...(expected === undefined ? [] : [['expected', expected] as const]), ...Object.entries(saw)];
  if (rows.length === 0) return null;
  return html`<dl class="sights">${rows.map(([who, sight]) => html`<div class="${WITNESS.get(who) ?? ''}"><dt>${label(who)}</dt><dd>${evidenceText(sight, 300)}</dd></div>`)}</dl>`;
}

/** Whose colour a sight has; other names are no witnesses but what was counted. */
const WITNESS: ReadonlyMap<string, string> = new Map([
  ['expected', 'expected'],
  ['client', 'client'],
  ['log', 'proxy'],
  ['proxy', 'proxy'],
  ['upstream', 'upstream'],
  ['anth', 'upstream'],
  ['zai', 'upstream'],
]);

/** Clients and upstreams see, records and the proxy say. */
function label(who: string): string {
  const witness = WITNESS.get(who);
  if (witness === undefined || witness === 'expected') return shown(who, 40);
  return witness === 'proxy' ? `${who} says` : `${who} saw`;
}

const MOST_CASES = 12;

function linksTo(cases: readonly Finding['cases'][number][]): Html {
  const rest = cases.length - MOST_CASES;
  return html`<ul class="links">${cases.slice(0, MOST_CASES).map((one) => html`<li>${linkTo(one)}</li>`)}${rest > 0 && html`<li>and ${count(rest)} more</li>`}</ul>`;
}
