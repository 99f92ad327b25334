import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { createCa } from './certs.ts';

async function handshake(trusted: string, host: string): Promise<string> {
  const { certPem, keyPem } = issuer.issue(['localhost', '127.0.0.1']);
  await using server = createServer({ cert: certPem, key: keyPem }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP');
  const socket: TLSSocket = connect({ host: '127.0.0.1', port: address.port, servername: host, ca: trusted });
  try {
    await once(socket, 'secureConnect');
    return 'accepted';
  } catch (error) {
    return String(error instanceof Error && 'code' in error ? error.code : error);
  } finally {
    socket.destroy();
  }
}

const issuer = createCa();

test('a client that trusts the authority accepts the certificate for each of its names', async () => {
  expect(await handshake(issuer.certPem, 'localhost')).toBe('accepted');
});

test('a client that trusts another authority refuses it', async () => {
  expect(await handshake(createCa('another').certPem, 'localhost')).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
});

test('a certificate is not valid for a name that it was not issued for', async () => {
  expect(await handshake(issuer.certPem, 'example.test')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
});

test('the leaf names its hosts, its issuer and no authority of its own', () => {
  const leaf = new X509Certificate(issuer.issue(['localhost', '127.0.0.1']).certPem);
  const root = new X509Certificate(issuer.certPem);
  expect(leaf.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
  expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect([root.ca, leaf.ca]).toEqual([true, false]);
  expect(leaf.checkIssued(root)).toBe(true);
  expect(leaf.verify(root.publicKey)).toBe(true);
});
