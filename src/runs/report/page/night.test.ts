import { expect, it } from 'vitest';
import { greenNight } from '../../../analysis/testing/green-night.ts';
import { nightSection } from './night.ts';

const rendered = (alter?: Parameters<typeof greenNight>[0]): string =>
  String(nightSection(greenNight(alter)));

it('a night has a row for each round, with what was played and who died', () => {
  const text = rendered();
  expect(text.match(/<tr><th scope="row"/g)).toHaveLength(6);
  expect(text).toContain('6 rounds, 0 of them red');
  expect(text).toContain('truncated × 1');
  expect(text).toContain('killed by the plan, back after 900 ms');
});

it('a red round says what was wrong, as text, and links to its evidence', () => {
  const text = rendered((night) => {
    const [first] = night.rounds;
    if (first === undefined) throw new Error('there are six rounds');
    const red = [{ id: 'BYTES-01', outcome: 'fail', what: '<b>a byte</b> differs' }];
    Object.assign(first, { kept: 'rounds/leg-0001', deaths: [{ at: 1, cause: 'itself', backMs: null }] });
    Object.assign(first.verdict, { outcome: 'fail', red });
  });
  expect(text).toContain('BYTES-01 is fail: &lt;b&gt;a byte&lt;/b&gt; differs');
  expect(text).toContain('<a href="./rounds/leg-0001/">');
  expect(text).toContain('of itself, not back');
});

it('a long night shows every red round and leaves green ones out, and says so', () => {
  const text = rendered((night) => {
    night.rounds = Array.from({ length: 500 }, (_, at) => ({
      ...structuredClone(greenNight().rounds[0] ?? expect.fail()),
      round: at + 1,
    }));
    Object.assign(night.rounds[499]?.verdict ?? {}, { outcome: 'fail' });
  });
  expect(text).toContain('100 green rounds more');
  expect(text).toContain('>500</th>');
});
