import { expect, it } from 'vitest';
import { editDistance, nearestName } from './nearest-name.ts';

it.each([
  ['', '', 0],
  ['abc', 'abc', 0],
  ['abc', 'abxc', 1],
  ['abc', 'ac', 1],
  ['abc', 'axc', 1],
  ['CCP_PROT', 'CCP_PORT', 1],
  ['kitten', 'sitting', 3],
])('counts from %j to %j %d slips', (a, b, distance) => {
  expect([editDistance(a, b), editDistance(b, a)]).toEqual([distance, distance]);
});

it('finds the nearest name, and none where more than a third of the letters is wrong', () => {
  const names = ['CCP_PORT', 'CCP_HOST', 'CCP_MODEL'];
  expect(nearestName('CCP_MODLE', names)).toBe('CCP_MODEL');
  expect(nearestName('CCP_HORT', names)).toBe('CCP_PORT');
  expect(nearestName('CCP_QUOTAS', names)).toBeNull();
  expect(nearestName('timout', ['quota', 'timeouts'])).toBe('timeouts');
  expect(nearestName('zia', ['anthropic', 'zai'])).toBe('zai');
  expect(nearestName('xyz', ['anthropic', 'zai'])).toBeNull();
});
