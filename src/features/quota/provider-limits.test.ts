import { describe, expect, it } from 'vitest';
import { createProviderLimits, readProviderLimits } from './provider-limits.ts';

const flat = (headers: Record<string, string>): string[] => Object.entries(headers).flat();

describe("an upstream's own limits", () => {
  it('are read from the headers of a subscription', () => {
    const stated = readProviderLimits(
      flat({
        'content-type': 'application/json',
        'Anthropic-RateLimit-Unified-Status': 'allowed_warning',
        'anthropic-ratelimit-unified-5h-status': 'allowed',
        'anthropic-ratelimit-unified-5h-reset': '1774472400',
        'anthropic-ratelimit-unified-5h-utilization': '0.421',
        'anthropic-ratelimit-unified-7d-utilization': '1.02',
        'anthropic-ratelimit-unified-representative-claim': 'five_hour',
        'anthropic-ratelimit-unified-fallback-percentage': '0.5',
        'anthropic-ratelimit-unified-overage-disabled-reason': 'out_of_credits',
        'set-cookie': 'secret=1',
      }),
    );
    const nothing = { limit: null, remaining: null };
    expect(stated).toEqual({
      status: 'allowed_warning',
      windows: [
        { ...nothing, name: '5h', status: 'allowed', used_pct: 42.1, resets_at: 1_774_472_400_000 },
        { ...nothing, name: '7d', status: null, used_pct: 102, resets_at: null },
      ],
    });
  });

  it('are read from the headers of a key', () => {
    const stated = readProviderLimits(
      flat({
        'anthropic-ratelimit-input-tokens-limit': '200000',
        'anthropic-ratelimit-input-tokens-remaining': '150000',
        'anthropic-ratelimit-input-tokens-reset': '2026-03-01T10:00:00Z',
      }),
    );
    expect(stated?.windows).toEqual([
      {
        name: 'input-tokens',
        status: null,
        used_pct: 25,
        limit: 200_000,
        remaining: 150_000,
        resets_at: Date.UTC(2026, 2, 1, 10),
      },
    ]);
  });

  it.each([{}, { 'anthropic-ratelimit-': 'x' }, { 'anthropic-ratelimit-odd': '1' }, { server: 'x' }])(
    'are not read from %j',
    (headers) => expect(readProviderLimits(flat(headers))).toBeNull(),
  );

  it('are nonsense where they are: no number, no window', () => {
    const stated = readProviderLimits(
      flat({
        'anthropic-ratelimit-unified-5h-utilization': 'much',
        'anthropic-ratelimit-unified-5h-reset': 'soon',
        [`anthropic-ratelimit-${'x'.repeat(99)}-limit`]: '1',
      }),
    );
    expect(stated?.windows).toEqual([
      { name: '5h', status: null, used_pct: null, limit: null, remaining: null, resets_at: null },
    ]);
  });

  it.each([
    '88888888888888',
    '999999999999999',
    '253402300800',
    '+012345-01-01T00:00:00Z',
    '-000001-01-01T00:00:00Z',
  ])('have no reset where what is stated, %s, is no time', (reset) => {
    const stated = readProviderLimits(flat({ 'anthropic-ratelimit-unified-5h-reset': reset }));
    expect(stated?.windows).toMatchObject([{ name: '5h', resets_at: null }]);
  });

  it('are not used where more is left than there is', () => {
    const stated = readProviderLimits(
      flat({ 'anthropic-ratelimit-tokens-limit': '5', 'anthropic-ratelimit-tokens-remaining': '9' }),
    );
    expect(stated?.windows).toMatchObject([{ used_pct: 0, limit: 5, remaining: 9 }]);
  });

  it('do not flood the memory', () => {
    const many = Array.from({ length: 500 }, (_, index) => [
      `anthropic-ratelimit-w${index}-limit`,
      '1',
    ]).flat();
    expect(readProviderLimits(many)?.windows).toHaveLength(16);
  });

  it('stay as they were last said, lane by lane, with the last refusal beside them', () => {
    const book = createProviderLimits();
    book.stated('anthropic', 1, flat({ 'anthropic-ratelimit-unified-status': 'allowed' }));
    book.stated('anthropic', 2, flat({ server: 'x' }));
    expect(book.of('anthropic')).toMatchObject({ at: 1, status: 'allowed', refused: null });
    book.refused('anthropic', { at: 3, kind: 'window', until: 9 });
    expect(book.of('anthropic')).toMatchObject({ at: 3, status: 'allowed', refused: { until: 9 } });
    expect(book.of('zai')).toBeNull();
    expect(book.all()).toHaveLength(1);
  });
});
