/**
 * The certificate authority of one run. X.509 (RFC 5280) written as DER by hand: node:crypto can make keys and
 * signatures but no certificates, and mockttp's CA costs 430 ms of imports where this costs a millisecond.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

export interface Ca {
  /** What a client has to trust. */
  readonly certPem: string;
  /** A server certificate for host names and literal IP addresses; the first also becomes its common name. */
  issue(hostnames: readonly [string, ...string[]]): Certificate;
}

export interface Certificate {
  readonly certPem: string;
  readonly keyPem: string;
}

const DAY_MS = 86_400_000;
/** Long enough for the longest soak, short enough that a forgotten CA file is soon worthless. */
const VALID_DAYS = 30;

/** Makes a new authority (ECDSA P-256) whose private key never leaves the process. */
export function createCa(commonName = 'ccp-uat run CA'): Ca {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority: Signer = { name: distinguishedName(commonName), ...keys };
  const certificate = makeCertificate({
    issuer: authority,
    subject: authority,
    extensions: [
      extension(OID.basicConstraints, sequence(TRUE), { critical: true }),
      extension(OID.keyUsage, bits(KEY_USAGE.certAndCrlSign), { critical: true }),
      extension(OID.subjectKeyId, octets(keyId(keys.publicKey))),
    ],
  });
  return {
    certPem: pem(certificate),
    issue: (hostnames) => issueServerCertificate(authority, hostnames),
  };
}

interface Signer {
  readonly name: Buffer;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function issueServerCertificate(issuer: Signer, hostnames: readonly [string, ...string[]]): Certificate {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = makeCertificate({
    issuer,
    subject: { name: distinguishedName(hostnames[0]), ...keys },
    extensions: [
      extension(OID.basicConstraints, sequence(), { critical: true }),
      extension(OID.keyUsage, bits(KEY_USAGE.digitalSignature), { critical: true }),
      extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth))),
      extension(OID.subjectAltName, sequence(...hostnames.map(generalName))),
      extension(OID.subjectKeyId, octets(keyId(keys.publicKey))),
      extension(OID.authorityKeyId, sequence(tagged(CONTEXT, keyId(issuer.publicKey)))),
    ],
  });
  return {
    certPem: pem(certificate),
    keyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function makeCertificate({
  issuer,
  subject,
  extensions,
}: {
  readonly issuer: Signer;
  readonly subject: Signer;
  readonly extensions: readonly Buffer[];
}): Buffer {
  const now = Date.now();
  const body = sequence(
    tagged(CONTEXT_CONSTRUCTED, integer(Buffer.of(2))),
    integer(randomBytes(16)),
    SIGNATURE_ALGORITHM,
    issuer.name,
    // A day of grace: a container's clock may lag behind that of its host.
    sequence(utcTime(now - DAY_MS), utcTime(now + VALID_DAYS * DAY_MS)),
    subject.name,
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(CONTEXT_CONSTRUCTED + 3, sequence(...extensions)),
  );
  return sequence(body, SIGNATURE_ALGORITHM, bitString(sign('sha256', body, issuer.privateKey)));
}

// DER, X.690: a tag, a length, the content.

const CONTEXT = 0x80;
const CONTEXT_CONSTRUCTED = 0xa0;
const KEY_USAGE = { digitalSignature: 0x80, certAndCrlSign: 0x06 } as const;
const OID = {
  commonName: '550403',
  subjectKeyId: '551d0e',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  authorityKeyId: '551d23',
  extendedKeyUsage: '551d25',
  serverAuth: '2b06010505070301',
  ecdsaWithSha256: '2a8648ce3d040302',
} as const;

const TRUE = tagged(0x01, Buffer.of(0xff));
const SIGNATURE_ALGORITHM = sequence(oid(OID.ecdsaWithSha256));

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthOf(content), content]);
}

function lengthOf(content: Buffer): Buffer {
  if (content.length < 0x80) return Buffer.of(content.length);
  const hex = content.length.toString(16);
  const digits = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.of(0x80 | digits.length), digits]);
}

function sequence(...items: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(items));
}

/** A positive integer without surplus leading zeros, as DER demands. */
function integer(magnitude: Buffer): Buffer {
  const first = magnitude.findIndex((byte) => byte !== 0);
  const digits = magnitude.subarray(Math.max(0, first));
  return tagged(0x02, (digits[0] ?? 0) < 0x80 ? digits : Buffer.concat([Buffer.of(0), digits]));
}

function octets(content: Buffer): Buffer {
  return tagged(0x04, content);
}

function bitString(content: Buffer, unusedBits = 0): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.of(unusedBits), content]));
}

/** Named bits without the trailing zero bits, as DER demands. */
function bits(usage: number): Buffer {
  return bitString(Buffer.of(usage), 31 - Math.clz32(usage & -usage));
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

/** Two-digit years, so valid until 2049 (RFC 5280, 4.1.2.5.1). */
function utcTime(epochMs: number): Buffer {
  const digits = new Date(epochMs).toISOString().replaceAll(/[^\d]/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`, 'latin1'));
}

function distinguishedName(commonName: string): Buffer {
  const utf8 = tagged(0x0c, Buffer.from(commonName, 'utf8'));
  return sequence(tagged(0x31, sequence(oid(OID.commonName), utf8)));
}

function extension(id: string, value: Buffer, { critical = false } = {}): Buffer {
  return sequence(oid(id), ...(critical ? [TRUE] : []), octets(value));
}

function generalName(hostname: string): Buffer {
  switch (isIP(hostname)) {
    case 4:
      return tagged(CONTEXT + 7, Buffer.from(hostname.split('.').map(Number)));
    case 6:
      throw new RangeError(`no certificate for ${hostname}: the mocks listen on IPv4 only`);
    default:
      return tagged(CONTEXT + 2, Buffer.from(hostname, 'latin1'));
  }
}

/** RFC 5280, 4.2.1.2, leaves the method open; any digest of the key does. */
function keyId(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
