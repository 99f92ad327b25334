/** Where the run comes from: versions, what was asked for, and the line that makes it again. */

import { duration } from '../../../analysis/duration.ts';
import type { RunRecord } from '../../run-record.ts';
import { type Html, html } from '../html.ts';
import { reproduceLine } from '../repeat-line.ts';
import { shown } from './format.ts';

export function surroundingsSection(record: RunRecord): Html {
  const { provenance, plan, run, exitCode, startedAt } = record;
  const { surroundings, ...known } = provenance;
  const facts: readonly (readonly [string, string])[] = [
    ['run', run],
    ['started', startedAt],
    ['exit code', String(exitCode)],
    ['under test', targetWords(plan.target)],
    ['upstreams', plan.upstream === 'mock' ? 'mocks on this machine' : 'real providers'],
    ['licence', [...new Set(plan.stages.map(({ license, by }) => `${license} by ${by}`))].join(', ')],
    [
      'settings of the target',
      Object.entries(plan.settings)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ') || 'none beside those of the world',
    ],
    ['seed', plan.seed],
    ['limit of a probe', duration(plan.timeoutMs)],
    [
      'asked for',
      Object.entries(plan.asked ?? {})
        .map(([name, value]) => `${name} ${wordsOf(value)}`)
        .join(', ') || 'nothing but the suite',
    ],
    ...Object.entries({ ...known, ...surroundings }).map(
      ([name, value]) => [PROVENANCE.get(name) ?? name, inWords(value)] as const,
    ),
  ];
  return html`<section aria-labelledby="surroundings"><h2 id="surroundings">Surroundings</h2>
<table class="facts"><caption class="unseen">Where the run comes from</caption><tbody>${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${shown(value, 600)}</td></tr>`)}</tbody></table>
<p class="repeat"><span>run it again</span> <code>${shown(reproduceLine(record, ''), 1_000)}</code></p></section>`;
}

const PROVENANCE: ReadonlyMap<string, string> = new Map([
  ['version', 'ccp and ccp-uat'],
  ['node', 'Node'],
  ['platform', 'platform'],
  ['claude', 'Claude Code'],
  ['os', 'operating system'],
  ['dirty', 'changed since the commit'],
  ['unsaid', 'git would not tell the commit'],
  ['argv', 'typed'],
]);

type Known = string | boolean | null | readonly string[] | Readonly<Record<string, string>>;

/** What was found out of the surroundings, whatever it is. */
function inWords(value: Known): string {
  if (value === null) return 'not known';
  if (Array.isArray(value)) return value.join(' ') || 'nothing';
  if (typeof value !== 'object') return value === true ? 'yes' : value === false ? 'no' : value;
  const entries = Object.entries(value).map(([name, one]) => `${name} ${one}`);
  return entries.join(', ') || 'none';
}

function targetWords(target: RunRecord['plan']['target']): string {
  if (target.kind === 'builtin') return 'the ccp of this checkout';
  return target.kind === 'url' ? `what ran at ${target.url}` : `the command ${target.command}`;
}

const wordsOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
