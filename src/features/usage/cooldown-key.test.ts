import { expect, it } from 'vitest';
import { keyTrouble } from './cooldown-key.ts';
import { quotaView } from './testing/usage-world.ts';

const VIEWS = [quotaView(), quotaView({ lane: 'local', model: 'q*' })];

it.each([
  [{ lane: 'zai' }],
  [{ lane: 'zai', key: '*haiku*' }],
  [{ key: 'q*' }],
  // No quota counts it: it is a key by itself.
  [{ lane: 'zai', key: 'glm-5' }],
])('finds nothing wrong with %j', (choice) => {
  expect(keyTrouble(choice, VIEWS)).toBeNull();
});

it.each([
  [{ lane: 'zai', key: '*haiku' }, '"*haiku*", or a model that none of them counts'],
  [{ lane: 'zai', key: 'haiku' }, '"*haiku*", or a model that none of them counts'],
  [{ lane: 'zai', key: 'q*' }, '"*haiku*", or a model that none of them counts'],
  [{ key: 'claude-haiku-4-5' }, '"*haiku*", "q*", or a model that none of them counts'],
  [{ lane: 'anthropic', key: '*' }, 'a model, since no quota is set here'],
])('says what is allowed in place of %j', (choice, allowed) => {
  expect(keyTrouble(choice, VIEWS)).toBe(`key: allowed is ${allowed}`);
});
