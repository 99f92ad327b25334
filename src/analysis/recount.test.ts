import { expect, it } from 'vitest';
import { isUncounted as proxyCallsUncounted } from '../protocol/charged.ts';
import { OPS, REASONS } from '../protocol/usage-event.ts';
import { isUncounted } from './recount.ts';

const STATUSES = [200, 204, 304, 400, 408, 429, 499, 500, 502, 504, 529];

it.each(OPS)('the judge and the proxy call the same exchanges uncounted, of the kind %s', (op) => {
  const all = STATUSES.flatMap((status) => REASONS.map((reason) => ({ op, status, reason, attempts: 1 })));
  expect(all.filter((one) => isUncounted({ ...one, tokens: null }))).toEqual(
    all.filter((one) => proxyCallsUncounted({ ...one, isCounted: false })),
  );
});
