import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStoreToWrite } from '../../config/store-files.ts';
import { licenseEnv } from '../../config/testing/license-env.ts';
import { createTestHost, type TestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';

let host: TestHost;
beforeEach(() => {
  host = createTestHost();
});
afterEach(() => host[Symbol.dispose]());

/** The exit code and what was said. */
async function ccp(...argv: string[]) {
  const code = await main(argv, host);
  return { code, ...host.said() };
}

async function json(...argv: string[]) {
  const { out, ...rest } = await ccp(...argv, '--json');
  return { ...rest, data: JSON.parse(out) };
}

/** One that ended so many days ago. */
const completion = ({ days, ...which }: { days: number; lane: string; model: string }): object => ({
  v: 1,
  ts: new Date(Date.now() - days * 86_400_000).toISOString(),
  rid: `${which.lane} ${days}`,
  event: 'completion',
  provider: which.lane,
  upstream: 'https://upstream.example',
  method: 'POST',
  path: '/v1/messages',
  op: 'stream',
  decision: 'to_zai',
  reason: 'ok',
  status: 200,
  latency_ms: 12.5,
  attempts: [],
  tokens: { input: 1, output: 2, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0 },
  bytes_in: 1,
  bytes_out: 2,
  ...which,
});

const KEYLESS =
  'providers:\n  - id: local\n    base_url: https://local.example\n    auth: { env: LOCAL_KEY }\n';

describe('the command line', () => {
  it('prints help with examples on stdout', async () => {
    for (const argv of [['--help'], ['help', 'model'], ['offload', '--help']]) {
      const { code, out, err } = await ccp(...argv);
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain('Examples:');
    }
  });

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect(await ccp('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it.each([
    [['provider'], 'Did you mean providers?'],
    [['offload', 'puase'], 'Did you mean pause?'],
    [['quotas', 'relaod'], "unknown command 'relaod'\n(Did you mean reload?)"],
    [['quotas', 'end-cooldwon', 'zai'], 'Did you mean end-cooldown?'],
    [['quotas', '--json', 'relod'], "ccp: error: unknown command 'relod'\n(Did you mean reload?)\n"],
    [['quotas', 'zai'], "ccp: error: too many arguments for 'show'"],
    [['quotas', 'zai'], 'Its commands: show, reload, end-cooldown.'],
    [['partials', 'claen'], 'Did you mean clean?'],
    [['quotas', 'show', 'zai'], 'too many arguments'],
    [['providers', '--jsno'], 'Did you mean --json?'],
    [['trust', 'a', 'b'], 'too many arguments'],
    [['completion', 'tcsh'], 'Allowed choices are bash, zsh, fish'],
    [[], 'Usage: ccp'],
  ])('answers %j with exit 2 and a sentence on stderr', async (argv, sentence) => {
    const { code, out, err } = await ccp(...argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
  });

  it('shows a wrong setting as message and hint, without a stack trace', async () => {
    host.env['CCP_PORT'] = 'eighty';
    expect(await ccp('providers')).toEqual({
      code: 2,
      out: '',
      err: 'ccp: error: CCP_PORT (environment) is "eighty"\nIt must be a whole number from 0 (any free port) to 65535.\n',
    });
  });

  it('keeps warnings out of the data', async () => {
    host.env['CCP_PROT'] = '1';
    const { err, data } = await json('providers');
    expect(err).toContain('did you mean CCP_PORT?');
    expect(data.providers).toHaveLength(2);
  });

  it('strips what could command a terminal from what it shows', async () => {
    host.env['CCP_PORT'] = '\u{9b}2J';
    host.env['CCP_\u{1b}[2J'] = '1';
    const { err } = await ccp('providers');
    expect(['\u{1b}', '\u{9b}'].some((control) => err.includes(control))).toBe(false);
  });
});

describe('providers', () => {
  it('shows hosts, lanes and whether keys are set, never a key', async () => {
    host.env['ZAI_API_KEY'] = 'c4n4ry';
    const { code, out, err } = await ccp('providers');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('https://api.z.ai/api/anthropic');
    expect(out).toContain('ZAI_API_KEY (set) as x-api-key');
    expect(out).not.toContain('c4n4ry');
    expect(JSON.stringify((await json('providers')).data)).not.toContain('c4n4ry');
  });

  it('is what serve --print-providers shows', async () => {
    const { data } = await json('providers');
    expect((await json('serve', '--print-providers')).data).toEqual(data);
  });

  it('refuses a wrong catalog by file, line and entry', async () => {
    const path = host.write('mine.yaml', KEYLESS);
    const { code, err } = await ccp('providers', '--providers', 'mine.yaml');
    expect(code).toBe(2);
    expect(err).toContain(`${path}:4:13: provider "local": the variable LOCAL_KEY is not set`);
  });

  it('ignores the catalog of a foreign folder until it is trusted', async () => {
    host.env['LOCAL_KEY'] = 'key';
    const path = host.write('configs/providers.yaml', KEYLESS);
    const before = await json('providers');
    expect(before.data.providers).toHaveLength(2);
    expect(before.err).toContain(`ccp trust ${path}`);

    expect((await ccp('trust', 'configs/providers.yaml')).code).toBe(0);
    const after = await json('providers');
    expect(after.data.providers).toHaveLength(3);
    expect(after.err).toBe('');
  });
});

describe('model', () => {
  it('sets, shows and clears the override', async () => {
    expect((await json('model')).data).toEqual({ model: null, provider: null, source: null });
    await ccp('model', 'claude-haiku-4-5');
    const source = join(host.home, '.config/ccp/model');
    // Without a licence and a key for Z.AI, its fallback serves.
    expect((await json('model')).data).toEqual({ model: 'claude-haiku-4-5', provider: 'anth', source });
    Object.assign(host.env, licenseEnv(), { ZAI_API_KEY: 'key' });
    expect((await json('model')).data).toMatchObject({ provider: 'zai' });
    expect((await json('doctor')).data).toMatchObject({
      findings: expect.arrayContaining([
        {
          level: 'note',
          what: `every request is routed as claude-haiku-4-5 (${source})`,
          remedy: '"ccp model --clear" ends that.',
        },
      ]),
    });
    expect((await json('model', '--clear')).data).toMatchObject({ model: null });
    expect((await ccp('model', '--clear')).code).toBe(0);
  });

  it('says that CCP_MODEL wins over what was just set', async () => {
    host.env['CCP_MODEL'] = 'claude-sonnet-5';
    const { err, data } = await json('model', 'claude-haiku-4-5');
    expect(err).toContain('CCP_MODEL is set here and wins');
    expect(data).toMatchObject({ model: 'claude-sonnet-5', source: 'CCP_MODEL' });
  });

  it('refuses what is no name', async () => {
    expect((await ccp('model', 'a\nb')).code).toBe(2);
    expect((await ccp('model', ' ')).code).toBe(2);
    expect((await ccp('model', 'a', '--clear')).code).toBe(2);
  });
});

describe('trust', () => {
  it('lists what lies in the working directory and how far it counts', async () => {
    const dotEnv = host.write('.env', 'ZAI_API_KEY=a');
    const states = async () =>
      Object.values<{ state: string }>((await json('trust')).data.files).map(({ state }) => state);
    expect(await states()).toEqual(['untrusted', 'absent', 'absent']);
    await ccp('trust', '.env');
    expect(await states()).toEqual(['trusted', 'absent', 'absent']);
    host.write('.env', 'ZAI_API_KEY=b');
    expect(await states()).toEqual(['changed', 'absent', 'absent']);
    await ccp('trust', '--forget', dotEnv);
    expect(await states()).toEqual(['untrusted', 'absent', 'absent']);
  });

  it('works though the settings are wrong', async () => {
    host.env['CCP_PORT'] = 'x';
    host.write('.env', 'CCP_PORT=y');
    expect((await ccp('trust', '.env')).code).toBe(0);
  });

  it('refuses a file that is not there', async () => {
    expect((await ccp('trust', 'absent')).code).toBe(2);
    expect((await ccp('trust', '--forget', '.env')).code).toBe(2);
    expect((await ccp('trust', '--forget')).code).toBe(2);
  });
});

describe('partials', () => {
  it('lists and deletes the partials, and nothing else', async () => {
    const partial = host.write('logs/partials/0123.partial', 'abc');
    const other = host.write('logs/partials/notes.txt', 'keep');
    mkdirSync(join(host.cwd, 'logs/partials/folder.partial'));
    symlinkSync(other, join(host.cwd, 'logs/partials/link.partial'));
    const { data } = await json('partials');
    expect(data.partials).toEqual([{ rid: '0123', path: partial, bytes: 3, written: expect.any(String) }]);
    expect((await ccp('partials', 'list')).out).toContain('0123');

    expect((await json('partials', 'clean')).data).toMatchObject({ deleted: ['0123'] });
    expect(() => statSync(partial)).toThrow('ENOENT');
    expect(statSync(other).size).toBe(4);
    host.write('logs/partials/4567.partial', '');
    expect((await ccp('partials', 'clean')).out).toMatch(/^Deleted 1 partial from /);
  });

  it('says so where there are none', async () => {
    const { code, out } = await ccp('partials');
    expect([code, out]).toEqual([0, `No partials in ${join(host.cwd, 'logs/partials')}.\n`]);
  });
});

describe('doctor', () => {
  /** A port on which nobody can be listening by chance. */
  const QUIET = '1';

  it('says of every setting what it is and why, of keys only whether they are set', async () => {
    host.env['CCP_PORT'] = QUIET;
    host.write('~/.config/ccp/settings.env', 'ZAI_API_KEY=c4n4ry');
    const { data } = await json('doctor');
    expect(data.settings).toContainEqual({ name: 'CCP_PORT', value: QUIET, source: 'environment' });
    const store = join(host.cwd, 'logs/ccp.sqlite3');
    expect(data.settings).toContainEqual({ name: 'CCP_DB_PATH', value: store, source: 'default' });
    expect(data.settings).toContainEqual({ name: 'CCP_MAX_BODY', value: '64MiB', source: 'default' });
    expect(data.settings).toContainEqual({
      name: 'ZAI_API_KEY',
      value: 'set',
      source: join(host.home, '.config/ccp/settings.env'),
    });
    expect(JSON.stringify(data) + (await ccp('doctor')).out).not.toContain('c4n4ry');
  });

  it('is content with a fresh machine on which no proxy runs', async () => {
    host.env['CCP_PORT'] = QUIET;
    const { code, data } = await json('doctor');
    expect(code).toBe(0);
    expect(data.findings.map(({ what }: { what: string }) => what)).toContain(
      `no proxy runs at http://127.0.0.1:${QUIET}`,
    );
  });

  it('says which quotas count and in which mode, and what is wrong with them', async () => {
    host.env['CCP_PORT'] = QUIET;
    const file = host.write('~/.config/ccp/quotas.json', '{"quotas": [{"model": "*", "lane": "zai"}]}');
    const quotas = async (): Promise<unknown[]> => (await json('doctor')).data.findings;
    expect(await quotas()).toContainEqual({ level: 'ok', what: `quotas: 1 in ${file}, mode block` });
    expect(JSON.stringify(await quotas())).not.toContain('counts nothing');
    expect(JSON.stringify(await quotas())).toContain('has no cap');
    host.write('~/.config/ccp/quotas.json', '{"quotas": [{"model": "*", "lane": "zia"}]}');
    expect(await quotas()).toContainEqual({
      level: 'problem',
      what:
        `the quota for "*" on lane zia in ${file} counts nothing: ` +
        'there is no lane zia (there are anthropic, zai): did you mean "zai"?',
      remedy: `Correct it in ${file} if it is not what you meant; "ccp providers" shows the lanes and their routes.`,
    });
    host.write('~/.config/ccp/quotas.json', '{"quotas": [{"model": "opus-4", "lane": "zai"}]}');
    expect(JSON.stringify(await quotas())).toContain('no route leads such a model there');
    host.env['CCP_MODEL'] = 'claude-haiku-4-5';
    expect(JSON.stringify(await quotas())).not.toContain('counts nothing');
    delete host.env['CCP_MODEL'];
    host.write(
      '~/.config/ccp/quotas.json',
      '{"quotas": [{"model": "*", "lane": "zai", "weekly": {"requests": 9}}]}',
    );
    host.env['CCP_SAMPLE_TTL_DAYS'] = '1';
    const forgotten = (what: string) => ({
      level: 'note',
      what: expect.stringContaining(what),
      remedy: expect.stringContaining('CCP_SAMPLE_TTL_DAYS at 7'),
    });
    expect(await quotas()).toContainEqual(forgotten('the last day of its weekly window after a restart'));
    host.env['CCP_PERSIST'] = '0';
    expect(await quotas()).toContainEqual(forgotten(`the quotas in ${file} begin at zero with each start`));
    delete host.env['CCP_PERSIST'];
    host.env['CCP_SAMPLE_TTL_DAYS'] = '7';
    expect(JSON.stringify(await quotas())).not.toMatch(/after a restart|with each start/);
    host.write('~/.config/ccp/quotas.json', '{"quotas": [{"model": "*"}]}');
    const problem = { level: 'problem', what: `${file}:1:13: quotas[0].lane: must be the name of a lane` };
    expect(await quotas()).toContainEqual(expect.objectContaining(problem));
  });

  it('names a quota whose glob matches no model that the store knows of the last seven days', async () => {
    host.env['CCP_PORT'] = QUIET;
    const quotas = ['*haku*', '*haiku*'].map((model) => ({ model, lane: 'zai', weekly: { requests: 9 } }));
    const file = host.write('~/.config/ccp/quotas.json', JSON.stringify({ quotas }));
    const notes = async (): Promise<unknown[]> => {
      const { code, data } = await json('doctor');
      expect(code).toBe(0);
      return data.findings.filter(({ what }: { what: string }) => what.includes('has counted nothing'));
    };
    const came = async (days: number, lane: string, model: string): Promise<void> => {
      const log = host.write('came.jsonl', JSON.stringify(completion({ days, lane, model })));
      expect((await ccp('db', 'import', '--jsonl', log)).code).toBe(0);
    };
    // A fresh proxy: nothing came yet, or long ago, or elsewhere.
    expect(await notes()).toEqual([]);
    await came(8, 'zai', 'glm-old');
    await came(1, 'anthropic', 'claude-opus-4-8');
    expect(await notes()).toEqual([]);
    await came(6, 'zai', 'claude-haiku-4-5');
    const haku = {
      level: 'note',
      what:
        `the quota for "*haku*" on lane zai in ${file} has counted nothing: ` +
        'none of the models seen there so far matches ("claude-haiku-4-5"): did you mean "*haiku*"?',
      remedy: expect.stringContaining(file),
    };
    expect(await notes()).toEqual([haku]);
    host.env['CCP_PERSIST'] = '0';
    expect(await notes()).toEqual([]);
  });

  it('says that a store cannot be made', async () => {
    host.env['CCP_PORT'] = QUIET;
    const file = host.write('a-file', '');
    host.env['CCP_DB_PATH'] = 'a-file/folder/x.sqlite3';
    const { code, data } = await json('doctor');
    expect(code).toBe(1);
    const store = join(file, 'folder/x.sqlite3');
    expect(data.findings).toContainEqual({
      level: 'problem',
      what: `no store can be made at ${store}: ${file} is no folder that can be written to`,
      remedy: expect.stringContaining('CCP_DB_PATH'),
    });
  });

  it('looks at the store, and touches neither one that is damaged nor its surroundings', async () => {
    host.env['CCP_PORT'] = QUIET;
    const path = join(host.cwd, 'logs/ccp.sqlite3');
    const findings = async (): Promise<unknown[]> => (await json('doctor')).data.findings;
    expect(await findings()).toContainEqual({ level: 'ok', what: `no store yet at ${path}` });
    host.write('logs/ccp.sqlite3', '');
    const inEmpty = { level: 'ok', what: `no store yet in ${path}, which is an empty file` };
    expect(await findings()).toContainEqual(inEmpty);
    openStoreToWrite(path, () => {})[Symbol.dispose]();
    expect(await findings()).toContainEqual({ level: 'ok', what: `store: 0 exchanges in ${path}` });
    const torn = readFileSync(path);
    torn.fill(0xff, torn.length - 4096);
    for (const damaged of [torn, Buffer.from('no database'.repeat(500))]) {
      writeFileSync(path, damaged);
      const { code, data } = await json('doctor');
      expect(code).toBe(1);
      expect(data.findings).toContainEqual({
        level: 'problem',
        what: expect.stringContaining(`${path} is damaged`),
        remedy: expect.stringContaining('ccp db import'),
      });
    }
    expect(readdirSync(join(host.cwd, 'logs'))).toEqual(['ccp.sqlite3']);
    host.env['CCP_PERSIST'] = '0';
    expect(await findings()).toContainEqual(
      expect.objectContaining({ level: 'note', what: expect.stringContaining('CCP_PERSIST=0') }),
    );
  });

  it('names the files of prices and the model, and whether they count', async () => {
    host.env['CCP_PORT'] = QUIET;
    const files = async (): Promise<unknown[]> => (await json('doctor')).data.files;
    const prices = join(host.home, '.config/ccp/prices.json');
    expect(await files()).toContainEqual({ path: prices, state: 'absent' });
    host.write('~/.config/ccp/prices.json', '{"v":1,"prices":[]}');
    const path = host.write('~/.config/ccp/model', 'claude-opus-4-8');
    expect(await files()).toEqual(
      expect.arrayContaining([
        { path: prices, state: 'used' },
        { path, state: 'used' },
      ]),
    );
    host.env['CCP_MODEL'] = 'claude-haiku-4-5';
    expect(await files()).toContainEqual({ path, state: 'not used: CCP_MODEL goes before it' });
  });

  it('says of a file that is read and refused that it is, and of a quota file which goes before it', async () => {
    host.env['CCP_PORT'] = QUIET;
    const files = async (): Promise<unknown[]> => (await json('doctor')).data.files;
    const refused = 'read, and refused: see below';
    for (const name of ['quotas.json', 'providers.yaml', 'prices.json', 'license.pack']) {
      const path = host.write(`~/.config/ccp/${name}`, '[');
      expect(await files()).toContainEqual({ path, state: refused });
    }
    const path = host.write('~/.config/ccp/quotas.json', '{"quotas": []}');
    expect(await files()).toContainEqual({ path, state: 'used' });
    const local = host.write('configs/quotas.json', '[');
    expect((await ccp('trust', local)).code).toBe(0);
    expect(await files()).toEqual(
      expect.arrayContaining([
        { path: local, state: refused },
        { path, state: `not used: ${local} goes before it` },
      ]),
    );
  });

  it('looks at prices of the operator as a start would', async () => {
    host.env['CCP_PORT'] = QUIET;
    const file = host.write('~/.config/ccp/prices.json', '{"v":1,"prices":[]}');
    const findings = async (): Promise<unknown[]> => (await json('doctor')).data.findings;
    expect(await findings()).toContainEqual({ level: 'ok', what: `prices of your own in ${file}` });
    host.write('~/.config/ccp/prices.json', '{"v":1,"prices":[{"lane":"zai"}],}');
    const what = expect.stringContaining(file);
    expect(await findings()).toContainEqual(expect.objectContaining({ level: 'problem', what }));
  });

  it.each([
    ['a malformed setting', { CCP_MAX_BODY: 'big' }, 'CCP_MAX_BODY'],
    [
      'an upstream that is this proxy',
      { CCP_ZAI_BASE_URL: `http://localhost:${QUIET}` },
      'is our own listener',
    ],
    ['a missing authority', { CCP_UPSTREAM_CA: '/absent.pem' }, '/absent.pem'],
    ['a missing catalog', { CCP_PROVIDERS_FILE: 'absent.yaml' }, 'absent.yaml'],
    ['logs that cannot be written', { CCP_LOGS_DIR: '/dev/null/logs' }, '/dev/null'],
  ])('finds %s and exits 1', async (_, env, word) => {
    Object.assign(host.env, { CCP_PORT: QUIET }, env);
    const { code, data } = await json('doctor');
    expect(code).toBe(1);
    expect(data.findings).toContainEqual(
      expect.objectContaining({ level: 'problem', what: expect.stringContaining(word) }),
    );
  });

  it('finds a settings file that others can read', async () => {
    host.env['CCP_PORT'] = QUIET;
    const path = host.write('~/.config/ccp/settings.env', 'CCP_MODEL=x');
    const { code, out } = await ccp('doctor');
    expect(code).toBe(1);
    expect(out).toContain(`chmod 600 ${path}`);
  });
});

describe('verify', () => {
  const line = (fields: object): string => `${JSON.stringify({ v: 1, event: 'completion', ...fields })}\n`;
  const good = line({ lane: 'zai', model: 'claude-haiku-4-5', decision: 'to_zai', header_mode: 'x-api-key' });

  it('is content with a log whose exchanges are where they belong', async () => {
    host.write('logs/usage.jsonl', good + good.replace('completion', 'decision'));
    const { code, out } = await ccp('verify');
    expect(code).toBe(0);
    expect(out.split('\n').slice(0, 2)).toEqual([
      '[verify-routing] decisions: 1/1 to_zai (100.0%)',
      'Completions by lane: anthropic=0 zai=1 unknown=0',
    ]);
  });

  it('exits 1 where haiku went to Anthropic, naming the line', async () => {
    const path = host.write(
      'other.jsonl',
      good + line({ lane: 'anthropic', model: 'claude-haiku-4-5', decision: 'to_anthropic' }),
    );
    const { code, data } = await json('verify', 'other.jsonl');
    expect(code).toBe(1);
    expect(data.violations.examples).toMatchObject([{ rule: 'haiku-on-anthropic', source: path, line: 2 }]);
  });

  it('knows the routes of the catalog', async () => {
    host.write('logs/usage.jsonl', line({ lane: 'zai', model: 'glm-4.7', decision: 'to_zai' }));
    expect((await ccp('verify')).code).toBe(1);
    host.env['CCP_PROVIDERS_FILE'] = host.write('mine.yaml', 'routes: { glm-*: zai }\n');
    expect((await ccp('verify')).code).toBe(0);
    const kept = { lane: 'anthropic', model: 'claude-haiku-4-5', decision: 'to_anthropic' };
    host.write('logs/usage.jsonl', line(kept));
    expect((await ccp('verify')).code).toBe(1);
    host.write('mine.yaml', 'routes: { "*haiku*": anth }\n');
    expect(await ccp('verify')).toMatchObject({ code: 0, out: expect.stringContaining('explicit_route: 1') });
  });

  it('reads the rotated copies too where it is told to', async () => {
    const path = host.write(
      'logs/usage.jsonl.1',
      line({ lane: 'anthropic', model: 'claude-haiku-4-5', decision: 'to_anthropic' }),
    );
    host.write('logs/usage.jsonl', good);
    expect((await ccp('verify')).code).toBe(0);
    const { code, data } = await json('verify', '--rotated');
    expect(code).toBe(1);
    expect(data).toMatchObject({ lines: 2, violations: { examples: [{ source: path, line: 1 }] } });
  });

  it('judges no empty log, and names the rotated copies where it was not to read them', async () => {
    host.write('logs/usage.jsonl', '');
    expect(await ccp('verify')).toMatchObject({
      code: 1,
      err: 'ccp: the log holds no readable line (--rotated reads its rotated copies, too), so nothing is proven\n',
    });
    expect(await ccp('verify', '--rotated')).toMatchObject({
      code: 1,
      err: 'ccp: the log and its rotated copies hold no readable line, so nothing is proven\n',
    });
  });

  it.each([
    ['there is no log yet', []],
    ['a folder is no log', ['logs']],
    ['there is no log and no copy of one', ['--rotated']],
  ])('says with exit 3 that %s', async (_, args) => {
    host.write('logs/other', '');
    const { code, err } = await ccp('verify', ...args);
    expect(code).toBe(3);
    expect(err).toContain(join(host.cwd, 'logs'));
  });
});
