import { describe, expect, it } from 'vitest';
import type { Plan } from '../../ccp-uat.ts';
import { createTestIssuer } from '../../config/testing/license-env.ts';
import { createTestHost } from '../shared/testing/test-host.ts';
import { callersLicense } from './callers-license.ts';

type Planned = Parameters<typeof callersLicense>[1][number];

const planned = (
  license: Planned['stages'][number]['license'],
  target: Plan['target'] = { kind: 'builtin' },
): Planned => ({
  stages: [{ name: 'run', license, by: 'environment' }],
  target,
});

const issuer = createTestIssuer();
const PACK = issuer.mint();
const KEYS = { CCP_LICENSE_PUBKEY_B64: issuer.line };
const inJson = (value: object): string => JSON.stringify(value);

describe("the caller's licence", () => {
  it('is passed on under the names of its settings, and nothing else is', () => {
    const pair = { CC_LICENSE_JSON: inJson(PACK.license), CC_LICENSE_SIG: PACK.signature, ...KEYS };
    using host = createTestHost({ ...pair, CC_LICENSE_PACK: 'goes-after', ZAI_API_KEY: 'not-this' });
    expect(callersLicense(host, [planned('env')])).toEqual(pair);
  });

  it('is found again by a target that is started elsewhere', () => {
    using host = createTestHost({ CC_LICENSE_JSON: 'my.json', CC_LICENSE_SIG: 'my.sig', ...KEYS });
    const [license, signature] = [
      host.write('my.json', inJson(PACK.license)),
      host.write('my.sig', PACK.signature),
    ];
    expect(callersLicense(host, [planned('env')])).toEqual({
      CC_LICENSE_JSON: license,
      CC_LICENSE_SIG: signature,
      ...KEYS,
    });
  });

  it("is the stored one where no other is set, with the key of the user's settings file", () => {
    using host = createTestHost();
    host.write('~/.config/ccp/settings.env', `CCP_LICENSE_PUBKEY_B64=${issuer.line}\n`);
    const path = host.write('~/.config/ccp/license.pack', inJson(PACK));
    expect(callersLicense(host, [planned('env')])).toEqual({ CC_LICENSE_PACK: path, ...KEYS });
  });

  it('is not looked at where no plan asks for it, or where the proxy has its own', () => {
    using host = createTestHost({ CC_LICENSE_PACK: 'my.pack' });
    expect(callersLicense(host, [planned('trial'), planned('none')])).toBeUndefined();
    expect(
      callersLicense(host, [planned('env', { kind: 'url', url: 'http://127.0.0.1:1' })]),
    ).toBeUndefined();
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['is missing', KEYS, /the licence of yours .* No licence is set/],
    ['has no key here', { CC_LICENSE_PACK: inJson(PACK) }, /of CC_LICENSE_PACK .* No public key is known/],
    [
      'is signed by another',
      { CC_LICENSE_PACK: inJson(PACK), CCP_LICENSE_PUBKEY_B64: createTestIssuer('other').line },
      /signed with a key that is not known here: "test-key"/,
    ],
    [
      'has expired',
      {
        CC_LICENSE_PACK: inJson(issuer.mint({ expires_at: new Date(Date.now() - 1000).toISOString() })),
        ...KEYS,
      },
      /It has expired: /,
    ],
    [
      'opens something else',
      { CC_LICENSE_PACK: inJson(issuer.mint({ features: ['other'] })), ...KEYS },
      /does not open the Z\.AI lane: it is without the feature zai_offload/,
    ],
  ])('that is asked for and %s is an error of configuration', (_what, env, message) => {
    using host = createTestHost(env);
    expect(() => callersLicense(host, [planned('env')])).toThrow(
      expect.objectContaining({ code: 'CONFIG', message: expect.stringMatching(message) }),
    );
  });
});
