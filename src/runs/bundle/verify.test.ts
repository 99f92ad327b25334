import { randomBytes } from 'node:crypto';
import { appendFile, cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import { selftestSchema } from '../selftest/selftest-record.ts';
import { temporaryFolder } from '../testing/stored-green-run.ts';
import { hashFile } from './inventory.ts';
import { LIMITS, type Limits } from './limits.ts';
import { REASONS, type Reason } from './refusal.ts';
import { publicKeyOf, type SigningSeed, signatureText } from './signature.ts';
import {
  attest,
  built,
  edit,
  entriesOf,
  gzipOf,
  type Opened,
  openBundle,
  type RawEntry,
  relist,
  repack,
  runsIn,
  SUITES,
  storeWholeRun,
  tarOf,
} from './testing/bundled-run.ts';
import { storeNight, storeSelftest } from './testing/stored-night.ts';
import { type Verification, type VerifyOptions, verifyBundle } from './verify.ts';

const NAME = '20260102T030405Z-test';
const RUN = `evidence/${NAME}`;
const NIGHT = '20260102T030405Z-night';
const SELFTEST = '20260102T030405Z-selftest';
const seedOf = (byte: number): SigningSeed => {
  const bytes = Buffer.alloc(32, byte);
  return { bytes, text: bytes.toString('base64') };
};
const SEED = seedOf(7);
const publicKey = Buffer.from(publicKeyOf(SEED), 'base64');

let place: Awaited<ReturnType<typeof temporaryFolder>>;
let good: string;
let signed: string;
/** Of a run of the same suite that went otherwise: consistent in itself. */
let other: string;
let night: string;
let selftest: string;
let file: string;
beforeAll(async () => {
  place = await temporaryFolder();
  const bundleOf = async (name: string, alter?: Parameters<typeof storeWholeRun>[2], seed?: SigningSeed) => {
    const results = path.join(place.path, name);
    await storeWholeRun(results, NAME, alter);
    return (await built({ runs: await runsIn(results), outDir: path.join(results, 'out'), seed })).file;
  };
  good = await bundleOf('good');
  signed = await bundleOf('signed', undefined, SEED);
  other = await bundleOf('other', (evidence) => {
    evidence.usage.bad = [{ line: 7, problem: 'torn' }];
  });
  const packed = async (results: string): Promise<string> =>
    (await built({ runs: await runsIn(results), outDir: path.join(results, 'out') })).file;
  await storeNight(path.join(place.path, 'night'), NIGHT);
  night = await packed(path.join(place.path, 'night'));
  await storeSelftest(path.join(place.path, 'selftest'), SELFTEST);
  selftest = await packed(path.join(place.path, 'selftest'));
});
afterAll(() => place[Symbol.asyncDispose]());
beforeEach(async () => {
  file = path.join(place.path, 'tampered.tgz');
  await cp(good, file);
});

const verify = (tampered: string, given: Partial<VerifyOptions> = {}): Promise<Verification> =>
  verifyBundle(tampered, { checks: CHECKS, suites: SUITES, ...given });

describe('a good bundle', () => {
  it('is believed, with the verdict that the evidence gives', async () => {
    expect(await verify(good)).toMatchObject({
      ok: true,
      signature: 'none',
      bound: false,
      summary: { outcome: 'pass', runs: [{ suite: 'test' }] },
    });
    expect(await verify(other)).toMatchObject({ ok: true, summary: { outcome: 'fail' } });
  });

  it('is bound by its hash or by its key', async () => {
    expect(await verify(good, { expectSha256: await hashFile(good) })).toMatchObject({
      ok: true,
      bound: true,
    });
    expect(await verify(signed, { publicKey })).toMatchObject({ ok: true, bound: true, signature: 'valid' });
    expect(await verify(signed)).toMatchObject({ ok: true, bound: false, signature: 'unchecked' });
  });

  it('is judged by each check that it can be judged by, and says which it was not', async () => {
    const madeWith = async (name: string, plan: NonNullable<Parameters<typeof storeWholeRun>[3]>) => {
      const results = path.join(place.path, name);
      const tear = (evidence: Parameters<NonNullable<Parameters<typeof storeWholeRun>[2]>>[0]) => {
        evidence.usage.bad = [{ line: 7, problem: 'torn' }];
      };
      const checks = CHECKS.map(({ id, title }) => ({ id, title, skip: 'I would rather not' }));
      await storeWholeRun(results, NAME, tear, { checks, ...plan });
      return (await built({ runs: await runsIn(results), outDir: path.join(results, 'out') })).file;
    };
    const willing = await verify(await madeWith('unwilling', {}));
    expect(willing).toMatchObject({ ok: true, summary: { outcome: 'fail' } });
    expect(JSON.stringify(willing)).not.toContain('I would rather not');
    const real = await verify(await madeWith('real', { upstream: 'real' }));
    // What one reason keeps from being judged is told once.
    expect(real.ok && real.summary.missing).toContainEqual({
      what: expect.stringMatching(`^checks ROUTE-01, .*BYTES-01.* of ${NAME}$`),
      why: 'skipped: a real upstream gives no transcript',
    });
  });

  it('says of a self-test how many saboteurs there are and were tried, and is red where one survived', async () => {
    const verification = await verify(selftest);
    expect(verification).toMatchObject({
      ok: true,
      summary: { outcome: 'fail', runs: [{ outcome: 'fail', saboteurs: { known: 3, tried: 2, killed: 1 } }] },
    });
    expect(verification.ok && verification.summary.missing).toContainEqual({
      what: `1 of 3 saboteurs in ${SELFTEST}`,
      why: 'the self-test did not try them; its selftest.html names them',
    });
    const page = (await openBundle(selftest)).files.get('index.html')?.toString();
    expect(page).toContain('The self-test tried 2 of 3 saboteurs, 1 killed');
    expect(page).toContain('the saboteur overlooked was not noticed');
  });

  it('says what it takes as it was stored', async () => {
    const attestedIn = async (one: string) => {
      const verification = await verify(one);
      return verification.ok ? verification.attested : verification;
    };
    expect(await attestedIn(good)).toEqual([`${RUN}/proxy.log`, `${RUN}/usage.jsonl`]);
    expect(await attestedIn(selftest)).toContainEqual(`${MATRIX}: how each check came out on each saboteur`);
    expect(await attestedIn(night)).toEqual([
      `${LEG}/proxy.log`,
      `${LEG}/usage.jsonl`,
      `${OF_NIGHT}/usage.jsonl`,
      `${OF_NIGHT}/events.jsonl: the verdicts of 5 of 6 rounds, which no exchanges here bear out`,
      `${OF_NIGHT}/events.jsonl: the readings of memory, files, sockets and latency`,
    ]);
  });

  it('leaves nothing of itself behind', async () => {
    const before = await readdir(path.dirname(place.path));
    await verify(good);
    const after = await readdir(path.dirname(place.path));
    expect(after.filter((name) => name.startsWith('ccp-bundle-') && !before.includes(name))).toEqual([]);
  });

  it('put together again from its own files is the same file', async () => {
    await repack(file, await openBundle(good));
    expect(await readFile(file)).toEqual(await readFile(good));
  });
});

/** What is done to the file itself. */
const AS_A_FILE: readonly [what: string, reason: Reason, tamper: () => unknown][] = [
  ['one byte flipped in its midst', 'gzip_damaged', () => flip((size) => size >> 1)],
  ['the last byte flipped', 'gzip_damaged', () => flip((size) => size - 1)],
  ['the check sum flipped', 'gzip_damaged', () => flip((size) => size - 8)],
  ['a time in the header', 'no_gzip', () => flip(() => 4)],
  ['another flag in the header', 'no_gzip', () => flip(() => 3)],
  ['the last byte gone', 'gzip_damaged', async () => truncate(file, (await readFile(file)).length - 1)],
  ['half of it gone', 'gzip_damaged', async () => truncate(file, (await readFile(file)).length >> 1)],
  ['nothing in it', 'no_gzip', () => truncate(file, 0)],
  ['a byte behind its end', 'trailing_data', () => appendFile(file, 'x')],
  ['a second archive behind its end', 'trailing_data', async () => appendFile(file, await readFile(good))],
  ['something else altogether', 'no_gzip', () => writeFile(file, 'PK\u0003\u0004 a zip')],
  ['no archive in the gzip', 'tar_damaged', () => writeFile(file, gzipOf(Buffer.from('hello')))],
  ['an empty archive', 'missing_document', () => writeFile(file, gzipOf(Buffer.alloc(1024)))],
];

async function flip(where: (size: number) => number): Promise<void> {
  const bytes = await readFile(file);
  const at = where(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  await writeFile(file, bytes);
}

/** What is done to the archive: entries as they are written. */
const AS_AN_ARCHIVE: readonly [
  what: string,
  reason: Reason,
  tamper: (entries: RawEntry[], root: string) => unknown,
][] = [
  ['a symbolic link', 'link', typed('2')],
  ['a hard link', 'link', typed('1')],
  ['a character device', 'device', typed('3')],
  ['a block device', 'device', typed('4')],
  ['a pipe', 'device', typed('6')],
  ['a folder', 'folder', typed('5')],
  ['a sparse file', 'sparse', typed('S')],
  ['a pax header', 'extended_header', typed('x')],
  ['a global pax header', 'extended_header', typed('g')],
  ['a GNU long name', 'extended_header', typed('L')],
  ['a GNU long link', 'extended_header', typed('K')],
  ['a contiguous file', 'unknown_type', typed('7')],
  ['a file of the old kind', 'unknown_type', typed('\0')],
  ['an absolute path', 'absolute_path', named(() => '/etc/passwd')],
  ['a path of Windows', 'absolute_path', named(() => 'C:/evil')],
  ['a path that climbs out', 'path_escape', named((root) => `${root}/../../evil`)],
  ['a path that climbs out in its midst', 'path_escape', named((root) => `${root}/a/../../../evil`)],
  ['a path that climbs out by backslashes', 'path_escape', named((root) => `${root}/..\\..\\evil`)],
  ['a backslash', 'path_form', named((root) => `${root}/a\\b`)],
  ['a dot for a folder', 'path_form', named((root) => `${root}/./index.html`)],
  ['an empty folder name', 'path_form', named((root) => `${root}//index.html`)],
  ['a hidden file', 'path_form', named((root) => `${root}/.bashrc`)],
  ['a control character in a name', 'path_form', named((root) => `${root}/a\u001b[2Jb`)],
  ['a letter of another script in a name', 'path_form', named((root) => `${root}/indеx.html`)],
  ['an option for a name', 'path_form', named((root) => `${root}/--checkpoint-action=exec=sh`)],
  [
    'a file outside of the folder',
    'other_root',
    (entries) => entries.push({ path: 'ccp-review-20300101T000000Z/x', content: Buffer.from('x') }),
  ],
  ['no folder of a bundle', 'other_root', (entries) => rooted(entries, 'bundle')],
  [
    'a folder of a day that is none',
    'other_root',
    (entries) => rooted(entries, 'ccp-review-20260231T000000Z'),
  ],
  ['a file twice', 'duplicate', (entries) => entries.splice(1, 0, entries[0] ?? never())],
  ['a file that is a folder, too', 'duplicate', (entries, root) => insert(entries, `${root}/evidence`)],
  [
    'two names that differ by case alone',
    'case_collision',
    (entries, root) => insert(entries, `${root}/INDEX.html`),
  ],
  ['another order', 'order', (entries) => entries.push(...entries.splice(0, 1))],
  ['an executable', 'header_form', altered((block) => block.write('000755', 100))],
  ['a set-user-id file', 'header_form', altered((block) => block.write('004755', 100))],
  ['an owner', 'header_form', altered((block) => block.write('root', 265))],
  ['a number of an owner', 'header_form', altered((block) => block.write('0001750', 108))],
  ['another time', 'header_form', altered((block) => block.write('00000000001', 136))],
  ['a link name in a file', 'header_form', altered((block) => block.write('/etc/passwd', 157))],
  ['a note behind the name', 'header_form', altered((block) => block.write('x', 99))],
  ['a name that is split otherwise', 'header_form', altered(splitOtherwise)],
  ['the magic of GNU', 'header_form', altered((block) => block.write('ustar  \0', 257))],
  ['a size in base 256', 'header_form', altered(inBase256)],
  [
    'a wrong header sum',
    'tar_damaged',
    (entries) => replace(entries, { sum: false, header: (block) => block.write('9', 148) }),
  ],
  ['a size beyond the end', 'tar_damaged', altered((block) => block.write('0007777777', 124))],
  [
    'something hidden in the last block of a file',
    'trailing_data',
    (entries) => replace(entries, { padding: 65 }),
  ],
];

const never = (): never => {
  throw new Error('the bundle is empty');
};

function replace(entries: RawEntry[], changes: Partial<RawEntry>): void {
  // The first whose last block has room.
  const at = entries.findIndex(({ content }) => content.length % 512 !== 0);
  entries[at] = { ...(entries[at] ?? never()), ...changes };
}

function typed(flag: string) {
  return (entries: RawEntry[]): void =>
    replace(entries, { header: (block) => block.write(flag, 156, 'latin1') });
}

function altered(header: (block: Buffer) => unknown) {
  return (entries: RawEntry[]): void => replace(entries, { header: (block) => void header(block) });
}

/** The path in the header alone: our own writer would not write most of these. */
function named(name: (root: string) => string) {
  return (entries: RawEntry[], root: string): void =>
    replace(entries, {
      header: (block) => {
        block.fill(0, 0, 100).fill(0, 345, 500);
        block.write(name(root), 0);
      },
    });
}

function rooted(entries: RawEntry[], root: string): void {
  for (const [index, entry] of entries.entries())
    entries[index] = { ...entry, path: entry.path.replace(/^[^/]+/, root) };
}

function insert(entries: RawEntry[], name: string): void {
  entries.push({ path: name, content: Buffer.from('x') });
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function splitOtherwise(block: Buffer): void {
  const name = block.toString('latin1', 0, 100).replace(/\0.*$/s, '');
  const [root = '', ...rest] = name.split('/');
  block.fill(0, 0, 100).write(rest.join('/'), 0);
  block.write(root, 345);
}

function inBase256(block: Buffer): void {
  const size = Number.parseInt(block.toString('latin1', 124, 135), 8);
  block.fill(0, 124, 136);
  block[124] = 0x80;
  block.writeUInt32BE(size, 132);
}

/** What is done to the files in it, where manifest and sums stay as they were. */
const AS_FILES: readonly [what: string, reason: Reason, tamper: (opened: Opened) => unknown][] = [
  ['a byte of the evidence changed', 'wrong_hash', ({ files }) => swapByte(files, `${RUN}/usage.jsonl`)],
  ['a byte of the page changed', 'wrong_hash', ({ files }) => swapByte(files, 'index.html')],
  [
    'a line added to the evidence',
    'wrong_size',
    (opened) => edit(opened, `${RUN}/proxy.log`, (text) => `${text}x\n`),
  ],
  [
    'a file of the evidence emptied',
    'wrong_size',
    ({ files }) => files.set(`${RUN}/usage.jsonl`, Buffer.alloc(0)),
  ],
  ['a file renamed', 'missing_file', ({ files }) => move(files, `${RUN}/usage.jsonl`, `${RUN}/usage2.jsonl`)],
  ['a file removed', 'missing_file', ({ files }) => files.delete(`${RUN}/witness/upstream.jsonl`)],
  ['a file added', 'unlisted_file', ({ files }) => files.set('evil.sh', Buffer.from('rm -rf ~'))],
  ['a file added to the evidence', 'unlisted_file', ({ files }) => files.set(`${RUN}/x`, Buffer.from('x'))],
  ['two files swapped', 'wrong_size', ({ files }) => swap(files, `${RUN}/usage.jsonl`, `${RUN}/proxy.log`)],
  ['no page', 'missing_document', ({ files }) => files.delete('index.html')],
  ['no manifest', 'missing_document', ({ files }) => files.delete('manifest.json')],
  ['no sums', 'missing_document', ({ files }) => files.delete('SHA256SUMS')],
  [
    'a manifest that is no JSON',
    'manifest_form',
    (opened) => edit(opened, 'manifest.json', (text) => text.slice(1)),
  ],
  [
    'a manifest of another version',
    'manifest_form',
    (opened) => edit(opened, 'manifest.json', (text) => text.replace('"v": 1', '"v": 2')),
  ],
  [
    'a manifest with a member of its own',
    'manifest_form',
    (opened) => edit(opened, 'manifest.json', (text) => text.replace('"v": 1', '"v": 1, "x": 1')),
  ],
  [
    'a manifest that lists a file twice',
    'manifest_form',
    (opened) => editManifest(opened, (files) => [...files, files[0]]),
  ],
  [
    'a manifest of another bundle',
    'manifest_form',
    (opened) => edit(opened, 'manifest.json', (text) => text.replace('03040', '03050')),
  ],
  [
    'a manifest that leaves a file out',
    'unlisted_file',
    (opened) => editManifest(opened, (files) => files.slice(1)),
  ],
  [
    'evidence called something else',
    'wrong_role',
    (opened) => edit(opened, 'manifest.json', (text) => text.replace('"evidence"', '"page"')),
  ],
  [
    'a sum changed',
    'sums_differ',
    (opened) => edit(opened, 'SHA256SUMS', (text) => text.replace(/^[0-9a-f]{8}/, '00000000')),
  ],
  [
    'a sum left out',
    'sums_differ',
    (opened) => edit(opened, 'SHA256SUMS', (text) => text.slice(text.indexOf('\n') + 1)),
  ],
];

function swapByte(files: Map<string, Buffer>, name: string): void {
  const content = files.get(name) ?? never();
  content[40] = (content[40] ?? 0) ^ 1;
}

function move(files: Map<string, Buffer>, from: string, to: string): void {
  files.set(to, files.get(from) ?? never());
  files.delete(from);
}

function swap(files: Map<string, Buffer>, a: string, b: string): void {
  const [left, right] = [files.get(a) ?? never(), files.get(b) ?? never()];
  files.set(a, right).set(b, left);
}

function editManifest(opened: Opened, alter: (files: unknown[]) => unknown[]): void {
  edit(opened, 'manifest.json', (text) => {
    const manifest = JSON.parse(text);
    return JSON.stringify({ ...manifest, files: alter(manifest.files) });
  });
}

type Cases = readonly [what: string, reason: Reason, tamper: (opened: Opened) => unknown][];

/** What is done by somebody who makes manifest and sums right again, and has not heard of the attestation. */
const WITHOUT_ATTESTATION: Cases = [
  [
    'an event edited',
    'evidence_differs',
    (opened) => edit(opened, `${RUN}/events.jsonl`, (text) => text.replace('"ok":true', '"ok":false')),
  ],
  [
    'a time of an event edited, which no verdict rests on',
    'evidence_differs',
    (opened) => edit(opened, `${RUN}/events.jsonl`, (text) => text.replace(/"ms":\d+/, '"ms":77')),
  ],
  ['a file added', 'evidence_differs', ({ files }) => files.set(`${RUN}/notes.md`, Buffer.from('x'))],
  ['a witness silenced', 'evidence_differs', ({ files }) => files.delete(`${RUN}/witness/upstream.jsonl`)],
  [
    'an attestation that lists nothing',
    'document_form',
    (opened) => edit(opened, 'statement.intoto.json', (text) => text.replace('"configuration"', '"nothing"')),
  ],
];

/** What is done by somebody who knows the format, and makes attestation, manifest and sums right again. */
const CONSISTENTLY: Cases = [
  [
    'the verdict of a run edited',
    'verdict_differs',
    (opened) => edit(opened, 'run.json', (text) => text.replace('"outcome": "pass"', '"outcome": "fail"')),
  ],
  [
    'the verdict of a check edited',
    'verdict_differs',
    (opened) =>
      edit(opened, 'run.json', (text) =>
        text.replace(/("id": "ROUTE-01"[^}]*"outcome": )"pass"/, '$1"fail"'),
      ),
  ],
  [
    'a count of a check edited',
    'verdict_differs',
    (opened) => edit(opened, 'run.json', (text) => text.replace(/"observed": \d+/, '"observed": 99')),
  ],
  [
    'a run taken out of the verdicts',
    'verdict_differs',
    (opened) => edit(opened, 'run.json', () => '{"v": 1, "runs": []}'),
  ],
  [
    'a verdict in another form',
    'document_form',
    (opened) => edit(opened, 'run.json', (text) => text.replace('"outcome": "pass"', '"outcome": "great"')),
  ],
  [
    'an event edited',
    'verdict_differs',
    (opened) => edit(opened, `${RUN}/events.jsonl`, (text) => text.replace('"ok":true', '"ok":false')),
  ],
  [
    'a check taken out of the plan',
    'verdict_differs',
    (opened) =>
      edit(opened, `${RUN}/events.jsonl`, (text) => text.replace(/\{"id":"LOG-01","title":"[^"]*"\},/, '')),
  ],
  [
    'a line of the log edited',
    'verdict_differs',
    (opened) =>
      edit(opened, `${RUN}/witness/proxy.jsonl`, (text) =>
        text.replaceAll('"lane":"zai"', '"lane":"anthropic"'),
      ),
  ],
  ['a witness silenced', 'verdict_differs', ({ files }) => files.delete(`${RUN}/witness/upstream.jsonl`)],
  [
    'a witness that stammers',
    'evidence_damaged',
    (opened) => edit(opened, `${RUN}/witness/store.jsonl`, (text) => `{${text}`),
  ],
  [
    'a run that says by itself what of it is not to be judged',
    'evidence_damaged',
    (opened) =>
      edit(opened, `${RUN}/events.jsonl`, (text) => {
        const closing = { type: 'round_closed', at: 1, round: 1, underWay: ['haiku'], diedAt: 1 };
        return `${text}${JSON.stringify(closing)}\n`;
      }),
  ],
  [
    'no evidence at all',
    'evidence_damaged',
    ({ files }) =>
      [...files.keys()].filter((name) => name.startsWith('evidence/')).map((name) => files.delete(name)),
  ],
  [
    'the page edited',
    'document_differs',
    (opened) => edit(opened, 'index.html', (text) => text.replace('PASS', 'GREAT')),
  ],
  [
    'the summary edited',
    'document_differs',
    (opened) =>
      edit(opened, 'summary.json', (text) => text.replace('"outcome": "pass"', '"outcome": "fail"')),
  ],
  [
    'what is missing hushed up',
    'document_differs',
    (opened) => edit(opened, 'summary.json', (text) => text.replace(/"signOff"/, '"signoff"')),
  ],
  [
    'the verdicts for CI edited',
    'document_differs',
    (opened) => edit(opened, 'junit.xml', (text) => text.replace('failures="0"', 'failures="1"')),
  ],
  [
    'the attestation edited',
    'document_differs',
    (opened) => edit(opened, 'statement.intoto.json', (text) => text.replace('PASSED', 'WARNED')),
  ],
  ...(
    [
      ['run.json', /"observed": \d+/],
      ['SUMMARY.md', /pass/],
      ['junit.xml', /failures="0"/],
      ['ctrf-report.json', /"passed"/],
      ['report.html', /<h1/],
      ['METRICS.json', /"lines": \d+/],
    ] as const
  ).map(([name, what]): [string, Reason, (opened: Opened) => unknown] => [
    `${name} of a run edited`,
    'report_differs',
    (opened) => edit(opened, `${RUN}/${name}`, (text) => text.replace(what, 'invented')),
  ]),
  [
    'a redaction hushed up',
    'document_differs',
    (opened) => edit(opened, 'redaction.json', (text) => text.replace(/"count": \d+/, '"count": 77')),
  ],
  [
    'the seed of a run edited in the provenance',
    'document_differs',
    (opened) => edit(opened, 'provenance.json', (text) => text.replace('"5eed"', '"feed"')),
  ],
  [
    'the name of the bundle changed',
    'document_differs',
    (opened) => rename(opened, 'ccp-review-20270102T030406Z'),
  ],
  [
    'a secret put in',
    'secret',
    (opened) =>
      edit(opened, `${RUN}/proxy.log`, (text) => `${text}sk-ant-api03-${randomBytes(30).toString('hex')}\n`),
  ],
];

const OF_NIGHT = `evidence/${NIGHT}`;
const LEG = `${OF_NIGHT}/rounds/leg-0001`;

/** A night: what its rounds came to, and the whole of a red one. */
const OF_A_NIGHT: Cases = [
  [
    'its figures edited',
    'report_differs',
    (opened) => edit(opened, `${OF_NIGHT}/NIGHT.json`, (text) => text.replace('"green": 5', '"green": 6')),
  ],
  [
    'the summary of its log edited',
    'report_differs',
    (opened) => edit(opened, `${OF_NIGHT}/METRICS.json`, (text) => text.replace('"lines": 1', '"lines": 2')),
  ],
  [
    'a red round told as green',
    'evidence_contradicts',
    (opened) =>
      edit(opened, `${OF_NIGHT}/events.jsonl`, (text) =>
        text.replace(
          /"outcome":"fail","passed":\[\],"red":\[[^\]]*\]/,
          '"outcome":"pass","passed":["RUN-01"],"red":[]',
        ),
      ),
  ],
  [
    'a witness of a red round edited',
    'evidence_contradicts',
    (opened) =>
      edit(opened, `${LEG}/witness/proxy.jsonl`, (text) =>
        text.replace('"bad":[{"line":7,"problem":"torn"}]', '"bad":[]'),
      ),
  ],
  [
    'the page of a red round edited',
    'report_differs',
    (opened) => edit(opened, `${LEG}/report.html`, (text) => text.replace('<h1', '<h1 hidden')),
  ],
  ['the page of a red round removed', 'report_differs', ({ files }) => files.delete(`${LEG}/report.html`)],
  [
    'a red round removed',
    'document_differs',
    ({ files }) =>
      [...files.keys()].filter((name) => name.startsWith(`${LEG}/`)).map((name) => files.delete(name)),
  ],
  [
    'a secret in a red round',
    'secret',
    (opened) =>
      edit(opened, `${LEG}/proxy.log`, (text) => `${text}sk-ant-api03-${randomBytes(30).toString('hex')}\n`),
  ],
];

const MATRIX = `evidence/${SELFTEST}/selftest.json`;

function withoutRow(text: string, name: string): string {
  const matrix = selftestSchema.parse(JSON.parse(text));
  // What is left of it adds up.
  return JSON.stringify({
    ...matrix,
    ok: true,
    saboteurs: matrix.saboteurs.filter((one) => one.name !== name),
  });
}

/** A self-test, whose matrix is all that is left of its runs. */
const OF_A_SELFTEST: Cases = [
  [
    'a survivor told as killed',
    'evidence_contradicts',
    (opened) => edit(opened, MATRIX, (text) => text.replace('"killed": false', '"killed": true')),
  ],
  [
    'its verdict edited',
    'evidence_contradicts',
    (opened) => edit(opened, MATRIX, (text) => text.replace('"ok": false', '"ok": true')),
  ],
  [
    'a row and what follows from it edited',
    'report_differs',
    (opened) => edit(opened, MATRIX, (text) => text.replace('"something"', '"nothing"')),
  ],
  [
    'the row of a survivor taken out',
    'evidence_contradicts',
    (opened) => edit(opened, MATRIX, (text) => withoutRow(text, 'overlooked')),
  ],
  [
    'its page edited',
    'report_differs',
    (opened) =>
      edit(opened, `evidence/${SELFTEST}/selftest.html`, (text) => text.replaceAll('overlooked', 'noticed')),
  ],
];

const rename = (opened: Opened, root: string): unknown => Object.assign(opened, { root });

describe('a bundle that was tampered with', () => {
  it.each(AS_A_FILE)('as a file, with %s, is refused: %s', async (_what, reason, tamper) => {
    await tamper();
    expect(await verify(file)).toMatchObject({ ok: false, reason });
  });

  it.each(AS_AN_ARCHIVE)('as an archive, with %s, is refused: %s', async (_what, reason, tamper) => {
    const opened = await openBundle(good);
    const entries = entriesOf(opened);
    tamper(entries, opened.root);
    await writeFile(file, gzipOf(tarOf(entries, opened.root)));
    expect(await verify(file)).toMatchObject({ ok: false, reason });
  });

  it('as an archive, with something behind its end, is refused: trailing_data', async () => {
    const opened = await openBundle(good);
    const tar = tarOf(entriesOf(opened), opened.root);
    await writeFile(file, gzipOf(Buffer.concat([tar, Buffer.alloc(512)])));
    expect(await verify(file)).toMatchObject({ ok: false, reason: 'trailing_data' });
    await writeFile(file, gzipOf(tar.subarray(0, -512)));
    expect(await verify(file)).toMatchObject({ ok: false, reason: 'tar_damaged' });
  });

  it.each(AS_FILES)('in its files, with %s, is refused: %s', async (_what, reason, tamper) => {
    const opened = await openBundle(good);
    tamper(opened);
    expect(await verify(await repack(file, opened))).toMatchObject({ ok: false, reason });
  });

  it.each(WITHOUT_ATTESTATION)(
    'with a manifest to match, and no attestation, with %s, is refused: %s',
    async (_what, reason, tamper) => {
      const opened = await openBundle(good);
      tamper(opened);
      relist(opened);
      expect(await verify(await repack(file, opened))).toMatchObject({ ok: false, reason });
    },
  );

  it.each(CONSISTENTLY)('with a manifest to match, and %s, is refused: %s', async (_what, reason, tamper) => {
    const opened = await openBundle(good);
    const statement = opened.files.get('statement.intoto.json');
    tamper(opened);
    if (opened.files.get('statement.intoto.json') === statement) attest(opened);
    relist(opened);
    expect(await verify(await repack(file, opened))).toMatchObject({ ok: false, reason });
  });

  it.each(OF_A_NIGHT)(
    'of a night, with a manifest to match, and %s, is refused: %s',
    async (_what, reason, tamper) => {
      const opened = await openBundle(night);
      tamper(opened);
      attest(opened);
      relist(opened);
      expect(await verify(await repack(file, opened))).toMatchObject({ ok: false, reason });
    },
  );

  it.each(OF_A_SELFTEST)(
    'of a self-test, with a manifest to match, and %s, is refused: %s',
    async (_what, reason, tamper) => {
      const opened = await openBundle(selftest);
      tamper(opened);
      attest(opened);
      relist(opened);
      expect(await verify(await repack(file, opened))).toMatchObject({ ok: false, reason });
    },
  );

  it('is refused in one sentence that shows no secret and no control character', async () => {
    const opened = await openBundle(good);
    const secret = `sk-ant-api03-${randomBytes(30).toString('hex')}`;
    edit(opened, `${RUN}/proxy.log`, (text) => `${text}${secret}\n`);
    relist(opened);
    const verification = await verify(await repack(file, opened));
    expect(verification).toMatchObject({ sentence: expect.stringMatching(/^Refused: .*proxy\.log.*\.$/) });
    expect(JSON.stringify(verification)).not.toContain(secret);
  });

  it('has a case here for each reason', () => {
    const elsewhere: readonly Reason[] = [
      'expected_hash',
      'unsigned',
      'signature_form',
      'wrong_signature',
      'ratio',
      'too_large',
      'too_many_entries',
    ];
    const tables = [AS_A_FILE, AS_AN_ARCHIVE, AS_FILES, WITHOUT_ATTESTATION, CONSISTENTLY, OF_A_SELFTEST];
    const tried = tables.flatMap((table) => table.map(([, reason]) => reason));
    expect([...new Set([...tried, ...elsewhere])].toSorted()).toEqual(Object.keys(REASONS).toSorted());
  });
});

describe('evidence that was swapped, with a manifest to match', () => {
  it('is a good bundle to who has nothing to hold it against', async () => {
    expect(await verify(other)).toMatchObject({ ok: true, bound: false });
  });

  it('is refused by its hash', async () => {
    const expectSha256 = await hashFile(good);
    expect(await verify(other, { expectSha256 })).toMatchObject({ ok: false, reason: 'expected_hash' });
  });

  it('is refused by the key, whatever is done about the signature', async () => {
    const genuine = await openBundle(signed);
    const forged = await openBundle(other);
    const withSignature = async (text: string | undefined): Promise<Verification> => {
      if (text === undefined) forged.files.delete('SHA256SUMS.sig');
      else forged.files.set('SHA256SUMS.sig', Buffer.from(text));
      return verify(await repack(file, forged), { publicKey });
    };
    const sums = forged.files.get('SHA256SUMS') ?? never();
    const real = genuine.files.get('SHA256SUMS.sig')?.toString() ?? never();
    expect(await withSignature(undefined)).toMatchObject({ ok: false, reason: 'unsigned' });
    expect(await withSignature(real)).toMatchObject({ ok: false, reason: 'wrong_signature' });
    expect(await withSignature(signatureText(sums, seedOf(8)))).toMatchObject({
      ok: false,
      reason: 'wrong_signature',
    });
    expect(await withSignature(real.trim())).toMatchObject({ ok: false, reason: 'signature_form' });
    expect(await withSignature('AAAA\n')).toMatchObject({ ok: false, reason: 'signature_form' });
  });

  it('is refused with a signature that only some libraries take', async () => {
    const genuine = await openBundle(signed);
    const signature = Buffer.from(genuine.files.get('SHA256SUMS.sig')?.toString() ?? '', 'base64');
    genuine.files.set('SHA256SUMS.sig', Buffer.from(`${malleated(signature).toString('base64')}\n`));
    expect(await verify(await repack(file, genuine), { publicKey })).toMatchObject({
      ok: false,
      reason: 'wrong_signature',
    });
  });
});

/** S + L is a second signature of the same message to whoever does not look (RFC 8032, section 8.4). */
function malleated(signature: Buffer): Buffer {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const scalar = BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString('hex')}`) + order;
  const bytes = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex');
  return Buffer.concat([signature.subarray(0, 32), bytes.toReversed()]);
}

describe('a bomb', () => {
  const limits = (changes: Partial<Limits>): { limits: Limits } => ({ limits: { ...LIMITS, ...changes } });
  const bomb = async (bytes: number): Promise<void> => {
    const opened = await openBundle(good);
    opened.files.set(`${RUN}/zeros`, Buffer.alloc(bytes));
    await repack(file, opened);
  };

  it('that unpacks to a thousand times its size is given up while it goes off', async () => {
    await bomb(64 * 1024 ** 2);
    expect(await verify(file, limits({ ratio: 20 }))).toMatchObject({ ok: false, reason: 'ratio' });
    await writeFile(file, gzipOf(Buffer.alloc(64 * 1024 ** 2)));
    expect(await verify(file)).toMatchObject({ ok: false, reason: 'ratio' });
  });

  it('of many bytes is refused, packed or unpacked', async () => {
    await bomb(1024 ** 2);
    expect(await verify(file, limits({ bytes: 1024 ** 2 }))).toMatchObject({
      ok: false,
      reason: 'too_large',
    });
    expect(await verify(file, limits({ packedBytes: 1000 }))).toMatchObject({
      ok: false,
      reason: 'too_large',
    });
  });

  it('of a file that says it is larger than any is refused before it is read', async () => {
    const opened = await openBundle(good);
    const entries = entriesOf(opened);
    replace(entries, { header: (block) => block.write('77777777777', 124) });
    await writeFile(file, gzipOf(tarOf(entries, opened.root)));
    expect(await verify(file)).toMatchObject({ ok: false, reason: 'too_large' });
  });

  it('of many files is refused', async () => {
    expect(await verify(good, limits({ entries: 5 }))).toMatchObject({
      ok: false,
      reason: 'too_many_entries',
    });
  });

  it('in a gzip of its own kind is no bundle', async () => {
    await rm(file);
    await writeFile(file, gzipSync(gzipSync(Buffer.alloc(1024))));
    expect(await verify(file)).toMatchObject({ ok: false, reason: 'no_gzip' });
  });
});
