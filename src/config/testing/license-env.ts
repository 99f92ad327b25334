import { createTestIssuer } from '../../features/license/testing/test-issuer.ts';

export { createTestIssuer } from '../../features/license/testing/test-issuer.ts';

/** Variables that give a program a licence for the Z.AI lane, made for the moment. */
export function licenseEnv(): { readonly CC_LICENSE_PACK: string; readonly CCP_LICENSE_PUBKEY_B64: string } {
  const issuer = createTestIssuer();
  return { CC_LICENSE_PACK: JSON.stringify(issuer.mint()), CCP_LICENSE_PUBKEY_B64: issuer.line };
}
