/** A certificate authority for upstreams over TLS; made anew, because a key in the repository is a key given away. */
import { generateCACertificate, getCA } from 'mockttp/dist/util/certificates';

export interface TestCertificates {
  /** PEM of the authority, for those who are to trust it. */
  readonly ca: string;
  /** A server certificate for `localhost`. */
  readonly server: { readonly key: string; readonly cert: string };
}

export async function makeCertificates(): Promise<TestCertificates> {
  const ca = await generateCACertificate();
  const { key, cert } = await (await getCA(ca)).generateCertificate('localhost');
  return { ca: ca.cert, server: { key, cert } };
}
