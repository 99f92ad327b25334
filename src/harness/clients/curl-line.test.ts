import { expect, it } from 'vitest';
import { curlLine } from './curl-line.ts';

it('of a raw probe names no credential and leaves framing to curl', () => {
  const line = curlLine({
    method: 'POST',
    target: '/v1/messages?beta=true',
    headers: [
      ['Host', 'h'],
      ['X-Api-Key', 'sk-secret'],
      ['anthropic-version', '2023-06-01'],
      ['content-length', '2'],
    ],
    body: '{}',
  });
  expect(line).toBe(
    `curl -sS -N -X POST -H "X-Api-Key: $ANTHROPIC_API_KEY" -H 'anthropic-version: 2023-06-01' --data-binary '{}' "$ANTHROPIC_BASE_URL"'/v1/messages?beta=true'`,
  );
});
