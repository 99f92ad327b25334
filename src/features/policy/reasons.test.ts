import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { POLICY_REMEDIES } from './reasons.ts';

const page = readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8');

it.each(Object.entries(POLICY_REMEDIES))(
  'the reason %s stands in the documentation with its remedy',
  (reason, remedy) => {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${reason}\` |`));
    expect(row).toContain(`| ${remedy} |`);
  },
);

it('the documentation names no reason that there is not', () => {
  const table = page.slice(page.indexOf('## Reasons'), page.indexOf('## Rolling back'));
  const named = [...table.matchAll(/^\| `(\w+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, reason]) => reason);
  expect(named.filter((reason) => reason !== 'reason')).toEqual(Object.keys(POLICY_REMEDIES));
});
