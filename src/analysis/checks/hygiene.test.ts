import { describe, expect, it } from 'vitest';
import { greenRun, pick, verdictOf } from '../testing/green-run.ts';

const zaiKey = greenRun().canaries.find(({ name }) => name === 'zai-key')?.value ?? '';

describe('HYGIENE-01', () => {
  it.each([
    ['plain', zaiKey],
    ['base64', Buffer.from(`x:${zaiKey}`).toString('base64')],
    ['hexadecimal', Buffer.from(zaiKey).toString('hex')],
    ['percent-encoded', [...Buffer.from(zaiKey)].map((byte) => `%${byte.toString(16)}`).join('')],
    ['plain, split across lines', `${zaiKey.slice(0, 20)}\n  ${zaiKey.slice(20)}`],
  ])('fails on a canary in the proxy output: %s', (form, text) => {
    const { outcome, violations } = verdictOf('HYGIENE-01', ({ artifacts }) => {
      artifacts.push({ place: 'proxy.out', text: `started\n${text}\n` });
    });
    expect(outcome).toBe('fail');
    expect(violations[0]?.what).toContain(`canary:zai-key (${form})`);
    expect(JSON.stringify(violations)).not.toContain(zaiKey);
  });

  it.each(['u-ready-anth', 'u-sonnet-limited-1'])(
    'fails on a canary on a wire where it does not belong, and points at the exchange: %s',
    (id) => {
      const { outcome, violations } = verdictOf('HYGIENE-01', ({ upstream }) => {
        pick(upstream, id).request.target = `/?k=${zaiKey}`;
      });
      expect(outcome).toBe('fail');
      expect(violations[0]?.what).toContain('wire:anth:request');
      expect(violations[0]?.pointers).toEqual([`anth:${id}`]);
    },
  );

  it('is inconclusive when the search finds no canary even where it belongs', () => {
    const { outcome } = verdictOf('HYGIENE-01', ({ canaries }) => {
      for (const canary of canaries) canary.value = 'never-sent-anywhere';
    });
    expect(outcome).toBe('inconclusive');
  });
});

describe('HYGIENE-03', () => {
  const asked = (host: string, headers: [string, string][], body = '') => ({
    host,
    request: { method: 'POST', url: `https://${host}/`, headers, body },
  });

  it('lets a login be asked about where it was made', () => {
    expect(verdictOf('HYGIENE-03')).toMatchObject({
      outcome: 'pass',
      observed: 1,
      note: 'asked: api.anthropic.com; 1 request read',
    });
  });

  it('fails on anybody else, also where only the handshake was seen', () => {
    const { outcome, violations } = verdictOf('HYGIENE-03', ({ elsewhere }) => {
      elsewhere?.push(asked('telemetry.example.test', []), { host: 'cdn.example.test' });
    });
    expect(outcome).toBe('fail');
    expect(violations.map(({ what }) => what)).toEqual([
      'POST went out to telemetry.example.test',
      'a handshake went out to cdn.example.test',
    ]);
  });

  it.each([
    ['header', asked('api.anthropic.com', [['x-api-key', zaiKey]])],
    ['body', asked('platform.claude.com', [], `{"key":"${zaiKey}"}`)],
  ])('fails on a secret in a %s that went to its maker, and does not show it', (_place, attempt) => {
    const { outcome, violations } = verdictOf('HYGIENE-03', ({ elsewhere }) => elsewhere?.push(attempt));
    expect(outcome).toBe('fail');
    expect(violations).toMatchObject([{ what: expect.stringContaining('canary:zai-key') }]);
    expect(JSON.stringify(violations)).not.toContain(zaiKey);
  });

  it('fails on a prompt that went to its maker past the proxy', () => {
    const { outcome } = verdictOf('HYGIENE-03', ({ elsewhere, canaries }) => {
      const prompt = canaries.find(({ name }) => name.startsWith('prompt:'))?.value ?? '';
      elsewhere?.push(asked('api.anthropic.com', [], prompt));
    });
    expect(outcome).toBe('fail');
  });

  it('is inconclusive where a watch saw nothing, and skipped where there was none', () => {
    expect(verdictOf('HYGIENE-03', (evidence) => (evidence.elsewhere = [])).outcome).toBe('inconclusive');
    expect(verdictOf('HYGIENE-03', (evidence) => (evidence.elsewhere = null)).outcome).toBe('skipped');
  });
});

describe('HYGIENE-02', () => {
  it('fails on the shape of a credential in an artifact and does not show it', () => {
    const secret = 'sk-ant-api03-abcdefghijklmnop';
    const { outcome, violations } = verdictOf('HYGIENE-02', ({ artifacts }) => {
      artifacts.push({ place: 'report.html', text: `<p>\n${secret}</p>` });
    });
    expect(outcome).toBe('fail');
    expect(violations[0]).toMatchObject({ pointers: ['report.html:2'] });
    expect(JSON.stringify(violations)).not.toContain(secret);
  });

  it('leaves the wire to HYGIENE-01', () => {
    const { outcome } = verdictOf('HYGIENE-02', ({ artifacts }) => {
      artifacts.push({ place: 'wire:anth:request', text: 'x-api-key: sk-ant-api03-abcdefghijklmnop' });
    });
    expect(outcome).toBe('pass');
  });
});
