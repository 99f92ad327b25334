import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { curlLine, shellLine } from './shell-line.ts';

describe('a line that repeats a probe', () => {
  it('is taken apart by a shell as it was put together', () => {
    const words = ["it's", '$HOME', 'a b', '"', '\n', '`x`', '', 'plain-1.0'];
    const printed = execFileSync('sh', ['-c', `for w in ${shellLine(words)}; do printf '%s\\0' "$w"; done`]);
    expect(printed.toString().split('\0').slice(0, -1)).toEqual(words);
  });

  it('of the raw client names no credential and leaves framing to curl', () => {
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
});
