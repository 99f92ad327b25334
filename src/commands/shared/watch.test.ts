import { expect, it } from 'vitest';
import { OperatorError } from '../../errors.ts';
import { createTestHost } from './testing/test-host.ts';
import { clipped, overdrawn, watch } from './watch.ts';

/** Watches pages until there are no more. */
async function watched(
  pages: (string | Error)[],
  isTerminal = false,
  height?: number,
): Promise<{ out: string; code: number }> {
  using host = createTestHost();
  const end = new AbortController();
  const page = async (): Promise<string> => {
    const next = pages.shift();
    if (pages.length === 0) queueMicrotask(() => end.abort());
    if (next instanceof Error) throw next;
    return next ?? '';
  };
  const screen = { ...host.out, isTerminal, height };
  const code = await watch({ ...host, out: screen }, { page, everyMs: 1, signal: end.signal });
  return { out: host.said().out, code };
}

it('shows page after page, and ends as interrupted', async () => {
  expect(await watched(['one\n', 'two\n', ''])).toEqual({ out: 'one\ntwo\n', code: 130 });
});

it('draws over the page before without clearing it first, and gives the cursor back', async () => {
  const { out } = await watched(['one\ntwo\n', ''], true);
  expect(out).toBe('\u001b[?25l\u001b[Hone\u001b[K\ntwo\u001b[K\n\u001b[J\u001b[?25h');
  expect(overdrawn('x\n')).not.toContain('\u001b[2J');
});

it('shows of a page what fits the terminal, which would scroll it otherwise', async () => {
  const page = 'one\ntwo\nthree\nfour\n';
  expect([clipped(page, 5), clipped(page), clipped(page, 0)]).toEqual([page, page, page]);
  expect(clipped(page, 4)).toBe('one\ntwo\n\u001b[0m… 2 more lines\n');
  const { out } = await watched([page, ''], true, 4);
  expect(out).toContain('two');
  expect(out).not.toContain('three');
});

it('shows what is in the way, and goes on', async () => {
  const down = new OperatorError('NOT_READY', 'no proxy\u001b answers', { hint: 'Start it.' });
  const { out } = await watched(['one\n', down, 'two\n', '']);
  expect(out).toBe('one\nno proxy\u{fffd} answers\nStart it.\ntwo\n');
});

it('gives the cursor back when it fails', async () => {
  await expect(watched([new TypeError('a bug')], true)).rejects.toThrow('a bug');
});
