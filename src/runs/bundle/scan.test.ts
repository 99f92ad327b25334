import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { formsOf } from '../../analysis/hygiene.ts';
import { createCanaries } from '../../harness/canaries.ts';
import { temporaryFolder } from '../testing/stored-green-run.ts';
import { scanFile } from './scan.ts';
import { build, built, openBundle, runsIn, storeWholeRun } from './testing/bundled-run.ts';

const NAME = '20260102T030405Z-test';
/** Of the green run. */
const own = createCanaries('5eed');
const foreign = createCanaries('of somebody else');

/** What may stand in no bundle, and the rule that must say so. */
const KINDS: readonly [kind: string, secret: string, rule: string][] = [
  ['the Anthropic key of the run', own.anthropicKey, 'canary:anthropic-key'],
  ['the OAuth token of the run', own.anthropicOauth, 'canary:anthropic-oauth'],
  ['the Z.AI key of the run', own.zaiKey, 'canary:zai-key'],
  ['the licence seed of the run', own.licenseSeed, 'canary:license-seed'],
  ['an Anthropic key that nobody planted', foreign.anthropicKey, 'anthropic-credential'],
  ['an OAuth token that nobody planted', foreign.anthropicOauth, 'anthropic-credential'],
  ['a Z.AI key that nobody planted', foreign.zaiKey, 'zai-key'],
  ['the phrase of a prompt', own.prompt('sonnet', []), 'canary:prompt'],
];

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const percent = (text: string): string =>
  text.replaceAll(/./g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
const wrapped = (text: string, width: number): string =>
  text.match(new RegExp(`.{1,${width}}`, 'g'))?.join('\n') ?? '';

/** How it is written there. */
const DISGUISES: readonly [disguise: string, write: (secret: string) => string][] = [
  ['plain', (secret) => secret],
  ['base64', base64],
  ['base64 amid other bytes', (secret) => base64(`{"key":"${secret}","x":1}`)],
  ['URL-encoded', (secret) => `?key=${encodeURIComponent(`:${secret}`)}`],
  ['percent-encoded to the last letter', percent],
  ['split across two lines', (secret) => `${secret.slice(0, 11)}\n  ${secret.slice(11)}`],
  ['split across many lines', (secret) => wrapped(secret, 10)],
  ['base64 split across lines', (secret) => wrapped(base64(secret), 20)],
  ['gzip in base64', (secret) => gzipSync(`key ${secret}.`).toString('base64')],
];

const note = (text: string): string => `note: "${text}"\nand so on\n`;

describe('the last look', () => {
  it.each(
    KINDS.flatMap(([kind, secret, rule]) =>
      DISGUISES.map(([disguise, write]) => ({ kind, disguise, text: write(secret), rule })),
    ),
  )('finds $kind, $disguise, and in JSON', ({ text, rule }) => {
    for (const content of [
      note(text),
      `${JSON.stringify({ a: note(text) })}\n{}\n`,
      JSON.stringify(JSON.stringify(note(text))),
    ]) {
      const finds = scanFile(`evidence/${NAME}/proxy.log`, Buffer.from(content), own.all());
      expect(finds.map((find) => find.rule)).toContain(rule);
    }
  });

  it.each([
    ['blanks', ' '],
    ['tabs', '\t'],
    ['backslashes', '\\'],
    ['carriage returns', '\r'],
    ['equals signs', '='],
    ['percent signs', '%'],
  ])('is done with a long row of %s in a moment, and finds what is behind it', (_what, one) => {
    const row = one.repeat(300_000);
    const begun = performance.now();
    expect(scanFile('x', Buffer.from(`x${row}x${row} ${own.zaiKey}\n${row}`), own.all())).not.toEqual([]);
    // The square of it takes minutes.
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it.each([
    ['a continued line of a shell', '\\\n  '],
    ['a mail', '=\r\n'],
    ['an empty line', '\n\n'],
    ['blanks on both sides', ' \t\r\n\t '],
    ['JSON in JSON in JSON in JSON', '\\\\\\\\r\\\\\\\\n'],
  ])('finds a key across %s', (_what, end) => {
    const text = `a ${foreign.anthropicKey.slice(0, 30)}${end}${foreign.anthropicKey.slice(30)} b`;
    expect(scanFile('x', Buffer.from(text), []).map(({ rule }) => rule)).toContain('anthropic-credential');
  });

  it('tells the line, and of what was hidden how', () => {
    const text = `one\ntwo\n${own.zaiKey}\nfour ${base64(own.licenseSeed)}\n`;
    expect(scanFile('x', Buffer.from(text), own.all())).toEqual(
      expect.arrayContaining([
        { rule: 'canary:zai-key', file: 'x', line: 3, count: 1, hidden: null },
        { rule: 'canary:license-seed', file: 'x', line: 4, count: 1, hidden: 'base64' },
      ]),
    );
  });

  it('finds a key wherever it stands amid other text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.nat(200), (text, at) => {
        const content = Buffer.from(`${text.slice(0, at)} ${foreign.anthropicKey} ${text.slice(at)}`);
        expect(scanFile('x', content, [])).not.toEqual([]);
      }),
    );
  });

  it('takes no hash, placeholder, or prose about secrets for one', () => {
    const hash = 'f828d8eca692e72b8cae6b1556b1f30c25a53ba5bbdcf8a9b4162575d4bd6d7d';
    const text = [
      `${hash}  index.html`,
      '{"x-api-key":"{{anthropic-key}}","authorization":"Bearer {{anthropic-oauth}}"}',
      'password = aVeryLongNameOfAVariable\nandAnotherLongNameOfAVariable',
      `{"sha256":"${hash}","base64":"${Buffer.alloc(3000, hash).toString('base64')}"}`,
      'https://example.com/v1/messages?beta=true&x=%7B%22a%22%3A1%7D',
    ].join('\n');
    expect(scanFile('index.html', Buffer.from(text), own.all())).toEqual([]);
  });

  it('leaves the phrases of prompts where the witnesses are told apart by them, and finds other secrets there', () => {
    const at = (name: string) =>
      scanFile(name, Buffer.from(`${own.prompt('sonnet', [])} ${own.zaiKey}`), own.all());
    expect(at(`evidence/${NAME}/witness/client.jsonl`).map(({ rule }) => rule)).not.toContain(
      'canary:prompt',
    );
    expect(at(`evidence/${NAME}/witness/client.jsonl`).map(({ rule }) => rule)).toContain('canary:zai-key');
    expect(at(`evidence/${NAME}/witness/store.jsonl`).map(({ rule }) => rule)).toContain('canary:prompt');
  });
});

/** Each kind of file that a run leaves, and how something gets into it without it being another kind of file. */
const ARTIFACTS: Readonly<Record<string, (text: string, before: string) => string>> = {
  'usage.jsonl': append,
  'proxy.log': append,
  'run.json': append,
  'SUMMARY.md': append,
  'METRICS.json': append,
  'junit.xml': append,
  'report.html': append,
  'ctrf-report.json': append,
  'events.jsonl': line((text) => ({ type: 'interrupted', at: Date.UTC(2026, 0, 2, 3, 4, 6), note: text })),
  'witness/client.jsonl': body,
  'witness/upstream.jsonl': body,
  'witness/proxy.jsonl': line((text) => ({ kind: 'anomaly', anomaly: { text } })),
  'witness/store.jsonl': line((text) => ({ text })),
  'witness/elsewhere.jsonl': line((text) => ({
    host: 'x',
    request: { method: 'GET', url: '/', headers: [], body: text },
  })),
  'witness/canaries.jsonl': line((text) => ({ name: 'x', value: text, allowed: [] })),
  'witness/artifacts.jsonl': line((text) => ({ place: 'x', text })),
  'witness/crashes.jsonl': line((text) => ({
    killedAt: 0,
    logged: 0,
    acknowledged: 0,
    unlogged: [],
    rows: 0,
    integrity: text,
    missing: [],
    doubled: [],
    rebuilt: null,
    slopes: null,
  })),
};

function append(text: string, before: string): string {
  return `${before}\n${note(text)}`;
}

function line(make: (text: string) => object) {
  return (text: string, before: string): string => `${before}${JSON.stringify(make(note(text)))}\n`;
}

/** In the body of a request, which is base64 already. */
function body(text: string, before: string): string {
  const [first = '', ...rest] = before.split('\n');
  const transcript = JSON.parse(first);
  transcript.request.body.base64 = base64(note(text));
  return [JSON.stringify(transcript), ...rest].join('\n');
}

/** What a bundle does not take as it lies there. */
const MADE_ANEW = ['run.json', 'SUMMARY.md', 'junit.xml', 'report.html', 'ctrf-report.json'];

describe('a bundle with a secret in it', () => {
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let results: string;
  let run: string;
  beforeAll(async () => {
    place = await temporaryFolder();
    results = path.join(place.path, 'results');
    run = await storeWholeRun(results, NAME);
    await writeFile(path.join(run, 'report.html'), '<!doctype html>\n');
  });
  afterAll(() => place[Symbol.asyncDispose]());
  afterEach(() => rm(outDir(), { recursive: true, force: true }));

  /** Has `text` in a file of the run while `act` goes on. */
  async function planted<T>(
    name: string,
    alter: (before: string) => string,
    act: () => Promise<T>,
  ): Promise<T> {
    const file = path.join(run, name);
    const before = await readFile(file, 'utf8').catch(() => null);
    await writeFile(file, alter(before ?? ''));
    try {
      return await act();
    } finally {
      await (before === null ? rm(file) : writeFile(file, before));
    }
  }

  const outDir = (): string => path.join(place.path, 'out');

  it.each(Object.keys(ARTIFACTS).filter((name) => !MADE_ANEW.includes(name)))(
    'in %s is not made: each kind, in each disguise, is told with its place',
    async (name) => {
      const alter = ARTIFACTS[name] ?? append;
      const runs = await runsIn(results);
      for (const [disguise, write] of DISGUISES) {
        const all = KINDS.map(([, secret]) => write(secret)).join('" "');
        const result = await planted(
          name,
          (before) => alter(all, before),
          () => build({ runs, outDir: outDir() }),
        );
        if (result.ok) throw new Error(`${disguise}: a bundle was made`);
        const file = `evidence/${NAME}/${name}`;
        const rules = new Set(result.finds.filter((find) => find.file === file).map(({ rule }) => rule));
        const homes = /client|upstream|events|canaries|run\.json|junit|SUMMARY|report/.test(name);
        const wanted = new Set(
          KINDS.map(([, , rule]) => rule).filter((rule) => !homes || rule !== 'canary:prompt'),
        );
        expect([...rules], disguise).toEqual(expect.arrayContaining([...wanted]));
        for (const [, secret] of KINDS) expect(JSON.stringify(result.finds)).not.toContain(secret);
        expect(await readdir(outDir())).toEqual([]);
      }
    },
  );

  it.each(MADE_ANEW)(
    'in %s is made without it: that follows from the rest, and is made anew',
    async (name) => {
      const all = DISGUISES.flatMap(([, write]) => KINDS.map(([, secret]) => write(secret))).join('" "');
      const { folder } = await planted(
        name,
        (before) => (ARTIFACTS[name] ?? append)(all, before),
        async () => built({ runs: await runsIn(results), outDir: outDir() }),
      );
      const text = await readFile(path.join(folder, 'evidence', NAME, name), 'utf8');
      const kept = KINDS.filter(([, , rule]) => rule !== 'canary:prompt').map(([, secret]) => secret);
      for (const secret of kept) for (const form of formsOf(secret)) expect(text).not.toContain(form.text);
    },
  );

  it('in what is made from it is not made either', async () => {
    const other = path.join(place.path, 'titled');
    await storeWholeRun(other, NAME, undefined, { title: `About ${foreign.anthropicKey}` });
    const result = await build({ runs: await runsIn(other), outDir: outDir() });
    if (result.ok) throw new Error('a bundle was made');
    const files = new Set(result.finds.map(({ file }) => file));
    for (const name of ['index.html', 'run.json', 'summary.json']) expect(files).toContain(name);
  });

  it('in a name is not made either', async () => {
    const repository = {
      v: 1,
      commit: null,
      dirty: null,
      languages: [],
      files: [{ path: foreign.zaiKey, bytes: 1, language: 'x' }],
    } as const;
    const result = await build({
      runs: await runsIn(results),
      outDir: outDir(),
      repository: { ...repository, languages: [], files: [...repository.files] },
    });
    expect(result).toMatchObject({ ok: false, finds: [{ rule: 'zai-key', file: 'repository.json' }] });
  });

  it('that is the seed it is signed with, or a key of whoever packs, is not made either', async () => {
    const secrets = [{ name: 'ZAI_API_KEY', value: 'no-shape-at-all-but-a-secret' }];
    const result = await planted(
      'proxy.log',
      (before) => append(base64('no-shape-at-all-but-a-secret'), before),
      async () => build({ runs: await runsIn(results), outDir: outDir(), secrets }),
    );
    expect(result).toMatchObject({ ok: false, finds: [{ rule: 'canary:ZAI_API_KEY' }] });
  });

  it('that makes its run unreadable is told of as a secret', async () => {
    const result = await planted(
      'witness/client.jsonl',
      (before) => `${before}${own.zaiKey}\n`,
      async () => build({ runs: await runsIn(results), outDir: outDir() }),
    );
    expect(result).toMatchObject({
      ok: false,
      finds: expect.arrayContaining([expect.objectContaining({ rule: 'canary:zai-key' })]),
    });
  });

  it('in the logs of a proxy whose run died is made, without it', async () => {
    await mkdir(path.join(run, 'world/logs'), { recursive: true });
    const { file } = await planted(
      'world/logs/usage.jsonl',
      () =>
        DISGUISES.map(([, write]) => note(write(own.zaiKey)))
          .slice(0, 7)
          .join(''),
      async () => built({ runs: await runsIn(results), outDir: outDir() }),
    );
    const { files } = await openBundle(file);
    expect(files.get(`evidence/${NAME}/world/logs/usage.jsonl`)?.toString()).toContain('note: "{{zai-key}}"');
  });
});
