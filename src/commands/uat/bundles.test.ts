import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OperatorError } from '../../errors.ts';
import type { Host } from '../shared/host.ts';
import type { Terminal } from '../shared/terminal.ts';
import { createTestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';

/** A run as `ccp-uat run` stores one; made once, as the commands only read it. */
let stored: string;
beforeAll(async () => {
  stored = await mkdtemp(path.join(tmpdir(), 'ccp-uat-bundles-'));
  const ran = await uat(['run', 'haiku-zai', '--client', 'auto'], { home: stored, cwd: stored });
  expect(ran.err + ran.out).toContain('haiku-zai');
}, 60_000);
afterAll(() => rm(stored, { recursive: true, force: true }));

async function uat(
  argv: readonly string[],
  {
    home,
    cwd = stored,
    env = {},
    signal = new AbortController().signal,
  }: {
    readonly home?: string;
    readonly cwd?: string;
    readonly env?: Host['env'];
    readonly signal?: AbortSignal;
  } = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  using host = createTestHost({
    CCP_RESULTS_DIR: path.join(stored, 'results'),
    CCP_LOGS_DIR: path.join(stored, 'logs'),
    ...env,
  });
  const terminal: Terminal = {
    live: null,
    ask: null,
    interruption: () => ({ signal, [Symbol.dispose]: () => {} }),
  };
  const code = await main(argv, { ...host, cwd, home: home ?? host.home }, terminal);
  return { code, ...host.said() };
}

const bundleIn = async (folder: string): Promise<string> =>
  path.join(folder, (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? 'none');

describe('ccp-uat bundle', () => {
  it('goes to the downloads where they exist, else among the results', async () => {
    const home = path.join(stored, 'home');
    expect((await uat(['bundle'], { home })).code).toBe(0);
    expect(await bundleIn(path.join(stored, 'results/bundles'))).toMatch(/ccp-review-\d{8}T\d{6}Z\.tgz$/);
    await mkdir(path.join(home, 'Downloads'), { recursive: true });
    const { out } = await uat(['bundle'], { home });
    const file = await bundleIn(path.join(home, 'Downloads'));
    expect(out).toContain(path.relative(stored, file));
    expect(await readFile(file)).toEqual(
      await readFile(await bundleIn(path.join(stored, 'results/bundles'))),
    );
  });

  it('says which of its commands was meant', async () => {
    const { code, err } = await uat(['bundle', 'verfy', 'x.tgz']);
    expect([code, err]).toEqual([2, expect.stringContaining('Did you mean verify?')]);
  });

  it('is made, signed, verified and compared by the lines that it prints, with one document each', async () => {
    const seed = path.join(stored, 'review.seed');
    const text = Buffer.alloc(32, 7).toString('base64');
    await writeFile(seed, `review=${text}\n`, { mode: 0o600 });
    const made = await uat(['bundle', '--out', 'signed', '--sign', 'review.seed']);
    expect(made.code).toBe(0);
    expect(made.out + made.err).not.toContain(text);
    const [, line = ''] = /Verify it with: ccp-uat (.*)\n/.exec(made.out) ?? [];
    const verified = await uat(line.split(' '));
    expect(verified).toMatchObject({
      code: 0,
      out: expect.stringContaining('Signed by the key that was named.'),
    });

    const file = await bundleIn(path.join(stored, 'signed'));
    const json = await uat(['bundle', 'verify', file, '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ ok: true, signature: 'unchecked', bound: false });
    const again = await uat(['bundle', '--out', 'plain', '--json']);
    const { ok, sha256, file: other } = JSON.parse(again.out);
    expect(ok).toBe(true);
    expect((await uat(['bundle', 'verify', other, '--expect-sha256', sha256.toUpperCase()])).code).toBe(0);
    expect(JSON.parse((await uat(['bundle', 'diff', file, other, '--json'])).out)).toMatchObject({
      same: false,
      verdicts: [{ what: 'signature', a: expect.stringMatching(/^SHA-256 [0-9a-f]{16}…$/), b: 'none' }],
      checks: [],
      provenance: [],
      counts: [],
    });
    expect((await uat(['bundle', 'diff', other, other])).out).toBe('The two say the same.\n');
  });

  it('keeps with the run what it was asked for, and where it stands', async () => {
    const { out } = await uat(['bundle', '--out', 'told', '--json']);
    const { folder } = JSON.parse(out);
    const { runs } = JSON.parse(await readFile(path.join(folder, 'provenance.json'), 'utf8'));
    expect(runs[0].ranBy.surroundings).toMatchObject({
      argv: ['run', 'haiku-zai', '--client', 'auto'],
      libraries: { undici: expect.any(String) },
    });
    expect(JSON.stringify(runs)).not.toContain(stored);
  });

  it('exits 1 with a secret in it, which it does not tell, and leaves nothing behind', async () => {
    const [run = ''] = await readdir(path.join(stored, 'results/runs'));
    const log = path.join(stored, 'results/runs', run, 'proxy.log');
    const before = await readFile(log, 'utf8');
    const key = 'a-key-of-mine-of-no-shape';
    await writeFile(log, `${before}${Buffer.from(key).toString('base64')}\n`);
    try {
      const { code, err, out } = await uat(['bundle', '--out', 'secret'], { env: { ZAI_API_KEY: key } });
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatch(
        /secret: canary:ZAI_API_KEY in evidence\/[^,]*proxy\.log, line \d+ \(base64\), 1 time$/m,
      );
      expect(err).not.toContain(key);
      expect(await readdir(path.join(stored, 'secret'))).toEqual([]);
      const account = path.join('results/runs', run, 'BUNDLE-REFUSED.md');
      expect(err).toContain(`The same to hand on: ${account}\n`);
      const text = await readFile(path.join(stored, account), 'utf8');
      expect(text).toMatch(/\| canary:ZAI_API_KEY \| [^|]+ \| proxy\.log \| \d+ \| base64 \| 1 \|/);
      for (const form of [key, Buffer.from(key).toString('base64')]) expect(text).not.toContain(form);
    } finally {
      await writeFile(log, before);
    }
    expect((await uat(['bundle', '--out', 'clean'])).code).toBe(0);
    expect(await readdir(path.join(stored, 'results/runs', run))).not.toContain('BUNDLE-REFUSED.md');
  });

  it('exits 1 with a key in it that stands in the settings file of its user, for ccp or for a provider of the catalog', async () => {
    const [run = ''] = await readdir(path.join(stored, 'results/runs'));
    const log = path.join(stored, 'results/runs', run, 'proxy.log');
    const before = await readFile(log, 'utf8');
    const home = path.join(stored, 'my-home');
    const config = path.join(home, '.config/ccp');
    await mkdir(config, { recursive: true });
    const [token, key] = ['a-token-of-mine-of-no-shape', 'a-local-key-of-no-shape'];
    await writeFile(path.join(config, 'settings.env'), `CCP_CLIENT_TOKEN=${token}\nLOCAL_KEY=${key}\n`);
    await writeFile(
      path.join(config, 'providers.yaml'),
      'providers: [{ id: local, auth: { env: LOCAL_KEY } }]\n',
    );
    await writeFile(log, `${before}${token}\n${key}\n`);
    try {
      const { code, err } = await uat(['bundle', '--out', 'mine'], { home });
      expect(code).toBe(1);
      expect(err).toMatch(/secret: canary:CCP_CLIENT_TOKEN in [^]*secret: canary:LOCAL_KEY in /);
    } finally {
      await writeFile(log, before);
    }
  });

  it('tells of a run of which not even the beginning can be read, and is no pass without it', async () => {
    const headless = path.join(stored, 'results/runs/29990101T000000Z-verify-sse-2');
    await mkdir(headless);
    await writeFile(path.join(headless, 'events.jsonl'), '{"type":"run_st\n');
    try {
      const { code, out } = await uat(['bundle', '--out', 'headless']);
      expect(code).toBe(0);
      expect(out).toContain(
        "missing: all of 29990101T000000Z-verify-sse-2, the newest run of verify-sse: it can't be judged",
      );
      expect(out).not.toContain('The whole: pass');
      expect(out).not.toContain('missing: suite verify-sse');
      expect((await uat(['bundle', 'verify', await bundleIn(path.join(stored, 'headless'))])).code).toBe(0);
    } finally {
      await rm(headless, { recursive: true });
    }
  });

  it('exits 2 and names the newest where there is no run but damaged ones', async () => {
    const results = path.join(stored, 'damaged');
    for (const name of ['20260101T000000Z-verify-sse', '20260102T000000Z-crowd']) {
      await mkdir(path.join(results, 'runs', name), { recursive: true });
      await writeFile(path.join(results, 'runs', name, 'events.jsonl'), '{"type":"run_st\n');
    }
    const { code, err } = await uat(['bundle'], { env: { CCP_RESULTS_DIR: results } });
    expect(code).toBe(2);
    expect(err).toMatch(/20260102T000000Z-crowd can't be judged: the beginning of events\.jsonl is damaged/);
  });

  it('that is interrupted exits 130 and leaves nothing behind', async () => {
    const signal = AbortSignal.abort(new OperatorError('INTERRUPTED', 'interrupted by SIGINT'));
    expect((await uat(['bundle', '--out', 'interrupted'], { signal })).code).toBe(130);
    expect(await readdir(path.join(stored, 'interrupted'))).toEqual([]);
  });

  it('exits 3 where there is nothing to bundle or no place for it, 2 for a seed that is none', async () => {
    await writeFile(path.join(stored, 'a-file'), '');
    expect((await uat(['bundle', '--out', 'a-file'])).code).toBe(3);
    const nothing = await uat(['bundle'], { env: { CCP_RESULTS_DIR: path.join(stored, 'empty') } });
    expect(nothing).toMatchObject({ code: 3, err: expect.stringContaining('there is nothing to bundle') });
    const unsigned = await uat(['bundle', '--sign', 'none.seed']);
    expect(unsigned).toMatchObject({
      code: 2,
      err: expect.stringContaining('none.seed cannot be read: ENOENT'),
    });
  });
});

it.runIf(process.platform === 'linux').each([
  [['bundle', '--out', '/proc/nowhere/deep'], {}],
  [['run', 'haiku-zai', '--run-dir', '/proc/nowhere/deep'], {}],
  [['run', 'haiku-zai'], { CCP_RESULTS_DIR: '/proc/nowhere/deep' }],
  [['selftest'], { CCP_LOGS_DIR: '/proc/nowhere/deep' }],
] as const)('ccp-uat %j with %j says that no folder can be made there', async (argv, env) => {
  expect(await uat(argv, { env })).toMatchObject({
    code: 3,
    err: expect.stringMatching(/: \/proc\/nowhere\S* cannot be made: the system has no folders there\n/),
  });
});

describe('ccp-uat bundle verify', () => {
  it('exits 1 with reason and sentence for one that was tampered with', async () => {
    await uat(['bundle', '--out', 'tampered']);
    const file = await bundleIn(path.join(stored, 'tampered'));
    await writeFile(file, Buffer.concat([await readFile(file), Buffer.from('x')]));
    expect(await uat(['bundle', 'verify', file])).toMatchObject({
      code: 1,
      out: expect.stringMatching(
        /^REFUSED {2}trailing_data\nRefused: something stands behind its end \(1 byte /,
      ),
    });
    const { out } = await uat(['bundle', 'verify', file, '--json']);
    expect(JSON.parse(out)).toMatchObject({ ok: false, reason: 'trailing_data' });
    expect(await uat(['bundle', 'diff', file, file])).toMatchObject({ code: 1 });
  });

  it('exits 2 for a file that is not there, a key or a hash that is none', async () => {
    await uat(['bundle', '--out', 'asked']);
    const file = await bundleIn(path.join(stored, 'asked'));
    expect(await uat(['bundle', 'verify', 'none.tgz'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('none.tgz is not there'),
    });
    expect(await uat(['bundle', 'verify', file, '--pubkey', 'none.pub'])).toMatchObject({ code: 2 });
    expect(await uat(['bundle', 'verify', file, '--expect-sha256', 'abc'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('abc is no SHA-256'),
    });
  });
});

it('ccp-uat bundle verify and diff say for a folder, a wrong name or none at all which file may be meant', async () => {
  await uat(['bundle', '--out', 'meant']);
  const file = await bundleIn(path.join(stored, 'meant'));
  const shown = path.relative(stored, file);
  const hint = 'Name the .tgz that "ccp-uat bundle" made';
  for (const typed of ['meant', shown.replace('.tgz', ''), shown.replace('.tgz', '/'), 'meant/none.tgz'])
    for (const command of [
      ['verify', typed],
      ['diff', file, typed],
    ]) {
      const { code, err } = await uat(['bundle', ...command]);
      expect({ code, err }, command.join(' ')).toEqual({
        code: 2,
        err: expect.stringMatching(/ is (not there|a folder, and a bundle is one file)\n/),
      });
      expect(err).toContain(`${hint}: ${shown}\n`);
    }
  const nowhere = { env: { CCP_RESULTS_DIR: path.join(stored, 'empty') } };
  for (const [command, problem] of [
    [['verify'], 'no bundle is named'],
    [['diff'], 'no bundle is named'],
    [['diff', file], 'the second bundle is not named'],
  ] as const)
    expect(await uat(['bundle', ...command], nowhere)).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        `${problem}\n${hint}; it puts it into empty/bundles, or where --out says.\n`,
      ),
    });
});

describe('housekeeping', () => {
  it('tells what it would remove, and removes no newest run', async () => {
    const pruned = await uat(['prune-results', '--keep', '1', '--dry-run']);
    expect(pruned).toMatchObject({ code: 0, out: 'would remove 0 runs, 0 bytes; 1 stay\n' });
    expect((await uat(['prune-results', '--keep', '0'])).code).toBe(2);
    expect(JSON.parse((await uat(['clean-logs', '--dry-run', '--json'])).out)).toMatchObject({
      removed: [{ file: 'METRICS_haiku_zai.json' }, { file: 'usage_haiku_zai.jsonl' }],
    });
    expect((await uat(['clean-logs'])).out).toMatch(
      /^removed METRICS_haiku_zai\.json, [\d,]+ bytes\nremoved usage_haiku_zai\.jsonl, [\d,]+ bytes\nremoved 2 files, /,
    );
  });
});
