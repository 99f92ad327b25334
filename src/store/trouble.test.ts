import { beforeEach, expect, it } from 'vitest';
import { createTrouble, type Trouble } from './trouble.ts';

let said: string[];
let trouble: Trouble;
beforeEach(() => {
  said = [];
  const say = (message: string): void => void said.push(message);
  trouble = createTrouble({ info: say, warn: say, error: say });
});

it('says what cannot be done, and not that nothing is kept where only reading fails', () => {
  trouble.failed('read', new Error('locked'));
  trouble.failed('tend', new Error('full'));
  expect(said).toEqual([
    'the store cannot be read for now: locked',
    'the store adds nothing up for now: full',
  ]);
  expect(trouble.state()?.reason ?? null).toBe('locked');
});

it('says a reason once, and again where it is graver than was said', () => {
  for (const deed of ['read', 'read', 'write', 'read', 'open', 'tend'] as const)
    trouble.failed(deed, new Error('locked'));
  expect(said).toEqual([
    'the store cannot be read for now: locked',
    'the store keeps nothing for now: locked',
  ]);
  trouble.worked('write');
  trouble.worked('write');
  expect(said.slice(2)).toEqual(['the store works again']);
  expect(trouble.state()?.reason ?? null).toBe(null);
});
