import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CHECKS } from './index.ts';

it('are all in docs/checks.md, with the claim and the least evidence they have here, and no others', () => {
  const page = readFileSync(new URL('../../../docs/checks.md', import.meta.url), 'utf8');
  const rows = page
    .split('\n')
    .filter((line) => /^\| `[A-Z]+-\d\d`/.test(line))
    .map((line) => line.split(' | ').slice(0, 3).join(' | '));
  expect(rows).toEqual(
    CHECKS.map(({ id, title, least, needs = [] }) => {
      const witnesses = needs.length > 0 ? `, needs ${needs.join(' and ')}` : '';
      return `| \`${id}\` | ${title} | ${least}${witnesses}`;
    }),
  );
});
