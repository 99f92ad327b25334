import { expect, it } from 'vitest';
import { createLog } from './log.ts';

it('begins one line a message, whatever is in it, and commands no terminal', () => {
  const lines: string[] = [];
  const log = createLog('ccp', (line) => void lines.push(line));
  log.info('listening');
  log.info('[license] plan=community');
  log.warn('x\nccp: error: forged\r \u001b[2J \u009b2J \u202e');
  log.error('Error: a\n    at b');
  expect(lines).toEqual([
    'ccp: listening\n',
    '[license] plan=community\n',
    'ccp: warning: x\n  ccp: error: forged\ufffd \ufffd[2J \ufffd2J \ufffd\n',
    'ccp: error: Error: a\n      at b\n',
  ]);
});
