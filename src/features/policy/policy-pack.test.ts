import { describe, expect, it } from 'vitest';
import { MAX_POLICY_BYTES, readPolicyPack } from './policy-pack.ts';
import { packText } from './testing/signer.ts';

const read = (part: Readonly<Record<string, unknown>>) => readPolicyPack(packText(part));

it('reads what a pack says, routes in the order in which they were written', () => {
  const routes = { 'b-*': 'zai', 'a-*': 'local', '1*': 'anth' };
  expect(read({ version: 7, routes })).toEqual({
    ok: true,
    value: {
      version: 7,
      issuedAt: Date.parse('2030-01-01T00:00:00Z'),
      expiresAt: Date.parse('2031-01-01T00:00:00Z'),
      routes: [
        { glob: 'b-*', provider: 'zai' },
        { glob: 'a-*', provider: 'local' },
        { glob: '1*', provider: 'anth' },
      ],
      upstreams: new Map([['zai', 'https://zai.example/base']]),
    },
  });
});

it('takes a pack that routes nothing, or moves nothing', () => {
  expect(read({ routes: undefined, upstreams: undefined })).toMatchObject({
    ok: true,
    value: { routes: [], upstreams: new Map() },
  });
});

describe('it refuses by its place', () => {
  it.each<[Readonly<Record<string, unknown>>, string]>([
    [{ version: 0 }, 'version: '],
    [{ version: 1.5 }, 'version: '],
    [{ version: '1' }, 'version: '],
    [{ version: 2 ** 53 }, 'version: '],
    [{ version: undefined }, 'version: '],
    [{ issued_at: '2030-01-01' }, 'issued_at: must be a time in UTC'],
    [{ expires_at: '2031-01-01T00:00:00+02:00' }, 'expires_at: must be a time in UTC'],
    [{ expires_at: '2031-02-30T00:00:00Z' }, 'expires_at: must be a time in UTC'],
    [{ expires_at: 1_900_000_000 }, 'expires_at: must be a time in UTC'],
    [{ expires_at: '2030-01-01T00:00:00Z' }, 'expires_at: must be after issued_at'],
    [{ routes: { '*haiku*': 'Z AI' } }, 'routes.*haiku*: must be the id of a provider'],
    [{ routes: { '*haiku*': null } }, 'routes.*haiku*: '],
    [{ routes: { '': 'zai' } }, 'routes.: '],
    [{ routes: { 42: 'zai' } }, 'routes.42: must not be a number'],
    [{ routes: { '*Haiku*': 'zai', '*haiku*': 'anth' } }, 'routes.*haiku*: stands there twice'],
    [{ routes: [['*haiku*', 'zai']] }, 'routes: '],
    [{ upstreams: { zai: 'http://zai.example' } }, 'upstreams.zai: must be an https URL'],
    [{ upstreams: { zai: 'https://user:word@zai.example' } }, 'upstreams.zai: must be an https URL'],
    [{ upstreams: { zai: 'https://zai.example/?key=1' } }, 'upstreams.zai: must be an https URL'],
    [{ upstreams: { zai: 'https://zai.example/#x' } }, 'upstreams.zai: must be an https URL'],
    [{ upstreams: { zai: 'ftp://zai.example' } }, 'upstreams.zai: must be an https URL'],
    [{ upstreams: { zai: 'http://127.0.0.1.example' } }, 'upstreams.zai: must be an https URL'],
    [
      { upstreams: { anth: 'https://anth.example' } },
      'upstreams.anth: is Anthropic, which no policy can move',
    ],
    [{ upstreams: { 'ANTH ': 'https://anth.example' } }, 'upstreams.ANTH : must be the id of a provider'],
    [
      { fallback: ['anth'] },
      'fallback: unknown key; there are version, issued_at, expires_at, routes, upstreams (line 12, column 3)',
    ],
  ])('%j', (part, detail) => {
    expect(read(part)).toEqual({
      ok: false,
      reason: 'malformed',
      detail: expect.stringContaining(detail),
    });
  });
});

it('tells what is no JSON, and what two readers could understand differently, from a wrong pack', () => {
  const twice = Buffer.from('{"version":1,"version":2}');
  for (const bytes of [Buffer.from('{'), Buffer.from([0xff]), twice]) {
    expect(readPolicyPack(bytes)).toMatchObject({ ok: false, reason: 'not_json' });
  }
  for (const text of ['[]', 'null', '"policy"', '1']) {
    expect(readPolicyPack(Buffer.from(text))).toMatchObject({ ok: false, reason: 'malformed' });
  }
});

it('takes nothing that is larger than a pack can be', () => {
  const padded = (bytes: number): Buffer => Buffer.concat([packText(), Buffer.alloc(bytes, ' ')]);
  expect(readPolicyPack(padded(MAX_POLICY_BYTES - packText().length)).ok).toBe(true);
  expect(readPolicyPack(padded(MAX_POLICY_BYTES))).toMatchObject({ ok: false, reason: 'too_large' });
});
