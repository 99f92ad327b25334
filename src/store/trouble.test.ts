import { beforeEach, expect, it } from 'vitest';
import { OperatorError } from '../errors.ts';
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
  expect(trouble.state()).toEqual({ reason: 'locked', remedy: null });
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
  expect(trouble.state()).toBe(null);
});

it('says once of a file that could not be opened what follows, with the remedy, until anything works', () => {
  const error = new OperatorError('CONFIG', 'x is a folder', { hint: 'Name a file.' });
  for (const deed of ['open', 'read', 'write'] as const) trouble.failed(deed, error);
  expect(trouble.state()).toEqual({ reason: 'x is a folder', remedy: 'Name a file.' });
  trouble.worked('write');
  for (const deed of ['open', 'read'] as const) trouble.failed(deed, error);
  trouble.worked('read');
  const once = 'the store keeps nothing for now, and quotas count only this run: x is a folder. Name a file.';
  expect(said).toEqual([once, 'the store works again', once, 'the store works again']);
  expect(trouble.state()).toBe(null);
});
