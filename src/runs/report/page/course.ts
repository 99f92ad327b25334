/** What happened when: stages, starts and ends of the proxy, kills, and what else the run told of itself. */

import { duration } from '../../../analysis/duration.ts';
import { plural } from '../../../analysis/plural.ts';
import type { Crash, ProxyLife } from '../../../protocol/witness.ts';
import type { RunEvent } from '../../run-events.ts';
import type { StoredRun } from '../../stored/stored-run.ts';
import { type Html, html } from '../html.ts';
import { coordinate, linearAxis } from './axis.ts';
import { shown } from './format.ts';

interface Moment {
  readonly at: number;
  readonly what: string;
}

const MOST_MOMENTS = 80;

export function courseSection({ evidence, events, startedAt, ms, plan }: StoredRun): Html {
  const { lives, crashes } = evidence;
  const moments = [
    ...events.flatMap(momentOf),
    ...lives.flatMap(momentsOfLife),
    ...crashes.map(momentOfCrash),
  ].toSorted((a, b) => a.at - b.at);
  const rest = moments.length - MOST_MOMENTS;
  return html`<section aria-labelledby="course"><h2 id="course">Course of the run</h2>
${lifeChart(lives, startedAt, ms)}
${lives.length > 0 && lifeTable(lives)}
<details class="exchange"><summary>What happened when: ${plural(moments.length, 'moment')}</summary><table class="wide inside"><caption class="unseen">What happened when</caption><thead><tr><th scope="col" class="figure">after</th><th scope="col">what</th></tr></thead>
<tbody>${moments.slice(0, MOST_MOMENTS).map(({ at, what }) => html`<tr><td class="figure">${duration(at - startedAt)}</td><td>${shown(what, 300)}</td></tr>`)}</tbody></table>
${rest > 0 && html`<p class="note">${plural(rest, 'moment')} more, in <code>events.jsonl</code>.</p>`}</details>
${plan.skippedProbes.length > 0 && html`<h3>Not sent</h3><ul>${plan.skippedProbes.slice(0, MOST_MOMENTS).map(({ id, reason }) => html`<li>${shown(id, 60)}: ${shown(reason, 200)}</li>`)}</ul>`}</section>`;
}

/** Probes have their timelines, rounds their verdicts, and a late machine is told of many times a second. */
const NO_MOMENTS: ReadonlySet<RunEvent['type']> = new Set([
  'probe_started',
  'probe_ended',
  'round_closed',
  'machine_late',
]);

/** Everything else that is told is a moment, of whatever kind it is. */
function momentOf(event: RunEvent): Moment[] {
  const { type, at, ...rest } = event;
  if (NO_MOMENTS.has(type)) return [];
  const facts = Object.entries(rest)
    .filter(
      ([, value]) => typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean',
    )
    .map(([key, value]) => `${key} ${value}`);
  return [{ at, what: [type.replaceAll('_', ' '), ...facts].join(', ') }];
}

function momentsOfLife({ stage, startedAt, pid, ending }: ProxyLife): Moment[] {
  if (startedAt === 0) return [];
  const who = pid === null ? 'the proxy' : `the proxy (process ${pid})`;
  const end =
    ending === null
      ? 'went on until this account was made'
      : `ended with ${ending.exitCode === null ? 'a signal' : `exit code ${ending.exitCode}`}, ${duration(ending.ms)} after it was asked to`;
  return [{ at: startedAt, what: `${who} was ready for stage ${stage}; it ${end}` }];
}

const momentOfCrash = ({ killedAt, logged, rows, unlogged, missing }: Crash): Moment => ({
  at: killedAt,
  what: `kill -9: ${logged} completions in the log, ${rows} rows in the store, ${missing.length} not stored yet, ${plural(unlogged.length, 'answer')} not in the log`,
});

const WIDTH = 440;
const LEFT = 110;
const ROW = 20;
const MOST_LIVES = 24;

function lifeChart(lives: readonly ProxyLife[], startedAt: number, ms: number): Html | null {
  const drawn = lives.filter((life) => life.startedAt > 0).slice(0, MOST_LIVES);
  if (drawn.length === 0) return null;
  const bottom = 8 + drawn.length * ROW;
  const axis = linearAxis(ms / 1000, { from: LEFT, to: WIDTH - 16 });
  const bars = drawn.map((life, index) => {
    const from = life.startedAt - startedAt;
    const to = Math.max(from, (drawn[index + 1]?.startedAt ?? startedAt + ms) - startedAt);
    return { stage: life.stage, from, to, y: 8 + index * ROW + ROW / 2 };
  });
  const said = bars
    .map(({ stage, from, to }) => `${stage} from ${duration(from)} to ${duration(to)}`)
    .join('; ');
  return html`<figure><figcaption>Lives of the proxy, by stage</figcaption><svg class="plot" viewBox="0 0 ${WIDTH} ${bottom + 36}" role="img" aria-label="${shown(`Lives of the proxy: ${said}.`, 900)}">
<g class="grid">${axis.ticks.map((tick) => html`<line x1="${coordinate(axis.at(tick))}" x2="${coordinate(axis.at(tick))}" y1="4" y2="${bottom}"/>`)}</g>
${bars.map(({ stage, from, to, y }) => html`<g class="proxy"><text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${stage.slice(0, 16)}</text><line class="life thick" x1="${coordinate(axis.at(from / 1000))}" x2="${coordinate(Math.max(axis.at(to / 1000), axis.at(from / 1000) + 1))}" y1="${y}" y2="${y}"/></g>`)}
<g class="words">${axis.ticks.map((tick) => html`<text x="${coordinate(axis.at(tick))}" y="${bottom + 14}" text-anchor="middle">${String(Number(tick.toPrecision(3)))}</text>`)}<text x="${(LEFT + WIDTH - 16) / 2}" y="${bottom + 30}" text-anchor="middle">s since the start of the run</text></g></svg></figure>`;
}

const lifeTable = (
  lives: readonly ProxyLife[],
): Html => html`<div class="scroll" tabindex="0" role="region" aria-label="Lives of the proxy"><table><caption>What each life of the proxy was given, and how it ended</caption><thead><tr><th scope="col">stage</th><th scope="col">licence</th><th scope="col">budget</th><th scope="col" class="figure">process</th><th scope="col">ended</th></tr></thead>
<tbody>${lives.slice(0, MOST_MOMENTS).map(({ stage, license, quota, pid, ending }) => html`<tr><th scope="row">${shown(stage, 40)}</th><td>${license.kind}</td><td>${quota === null ? 'none' : shown(`${quota.requests} requests of ${quota.model} on ${quota.lane}, mode ${quota.mode}`, 120)}</td><td class="figure">${pid ?? '–'}</td><td>${ending === null ? 'after this account was made' : `exit ${ending.exitCode ?? 'by a signal'}, ${duration(ending.ms)}`}</td></tr>`)}</tbody></table></div>`;
