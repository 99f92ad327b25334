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
  [{ lane: 'zai', key: '*haiku' }, 'the glob of a quota there ("*haiku*"), or a model that no quota counts'],
  [{ lane: 'zai', key: 'haiku' }, 'the glob of a quota there ("*haiku*"), or a model that no quota counts'],
  [{ lane: 'zai', key: 'q*' }, 'the glob of a quota there ("*haiku*"), or a model that no quota counts'],
  [
    { key: 'claude-haiku-4-5' },
    'the glob of a quota there ("*haiku*", "q*"), or a model that no quota counts',
  ],
  [{ lane: 'anthropic', key: '*' }, 'a model, since no quota is set there'],
])('says what is allowed in place of %j', (choice, allowed) => {
  expect(keyTrouble(choice, VIEWS)).toBe(`key: allowed is ${allowed}`);
});
