import { describe, expect, it } from 'vitest';
import type { Plan } from '../../ccp-uat.ts';
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

describe("the caller's licence", () => {
  const KEYS = 'k=AAAA';

  it('is passed on under the names of its settings, and nothing else is', () => {
    using host = createTestHost({
      CC_LICENSE_JSON: '{"kid":"k"}',
      CC_LICENSE_SIG: 'c2ln',
      CCP_LICENSE_PUBKEY_B64: KEYS,
      ZAI_API_KEY: 'not-this',
    });
    expect(callersLicense(host, [planned('env')])).toEqual({
      CC_LICENSE_JSON: '{"kid":"k"}',
      CC_LICENSE_SIG: 'c2ln',
      CCP_LICENSE_PUBKEY_B64: KEYS,
    });
  });

  it('is found again by a target that is started elsewhere', () => {
    using host = createTestHost({ CC_LICENSE_PACK: 'my.pack' });
    const path = host.write('my.pack', '{}');
    expect(callersLicense(host, [planned('env')])).toEqual({ CC_LICENSE_PACK: path });
  });

  it('is not looked at where no plan asks for it, or where the proxy has its own', () => {
    using host = createTestHost({ CC_LICENSE_PACK: 'my.pack' });
    expect(callersLicense(host, [planned('trial'), planned('none')])).toBeUndefined();
    expect(
      callersLicense(host, [planned('env', { kind: 'url', url: 'http://127.0.0.1:1' })]),
    ).toBeUndefined();
  });

  it('that is asked for and missing is an error of configuration', () => {
    using host = createTestHost({ CC_LICENSE_PACK: '', CCP_LICENSE_PUBKEY_B64: KEYS });
    expect(() => callersLicense(host, [planned('env')])).toThrow(expect.objectContaining({ code: 'CONFIG' }));
  });
});
