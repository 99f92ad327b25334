/** The meter's commands against what answers as a proxy does; and, at the end, against a proxy. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LimitsAnswer } from '../../../config/usage-answers.ts';
import { createTestHost, type TestHost } from '../../shared/testing/test-host.ts';
import { main } from '../main.ts';
import { makePlace } from '../testing/programs.ts';
import { statusline } from './statusline.ts';
import {
  DIVERSIONS,
  type FakeMeter,
  modelUsage,
  quota,
  startFakeMeter,
  totals,
  USAGE,
} from './testing/meter.ts';

let host: TestHost;
let meter: FakeMeter;
beforeEach(async () => {
  meter = await startFakeMeter();
  host = createTestHost({ CCP_PORT: String(meter.port), NO_COLOR: '1' });
});
afterEach(async () => {
  await meter[Symbol.asyncDispose]();
  host[Symbol.dispose]();
});

/** What a command prints; it must have succeeded, in silence on standard error. */
const printed = (...argv: string[]): Promise<string> => printedOn(80, ...argv);

async function printedOn(width: number, ...argv: string[]): Promise<string> {
  const on: TestHost = { ...host, out: { ...host.out, width } };
  expect([argv, await main(argv, on)]).toEqual([argv, 0]);
  const { out, err } = host.said();
  expect(err).toBe('');
  return out;
}

/** What `/healthz` says beside its own. */
function heldBefore(part: { readonly paused?: boolean; readonly model_override?: string }): void {
  const told = meter.answers.get('/healthz')?.value;
  meter.answers.set('/healthz', { status: 200, value: { ...Object(told), ...part } });
}

const LONG = 'claude-haiku-4-5-20251001';

/** In columns: Han and emoji take two. */
const widest = (text: string): number =>
  Math.max(
    ...text
      .replaceAll(/\p{Script=Han}|\p{Emoji_Presentation}/gu, 'ww')
      .split('\n')
      .map(({ length }) => length),
  );

it('ends a watched page once nobody reads on, as head leaves a pipe, and that is no mistake', async () => {
  using place = makePlace();
  await using watching = place.run(['quota', '--watch'], { CCP_PORT: String(meter.port) });
  await vi.waitFor(() => expect(watching.out()).not.toBe(''), { timeout: 15_000, interval: 20 });
  watching.child.stdout?.destroy();
  expect([await watching.exited, watching.err()]).toEqual([0, '']);
});

describe('every page of the meter', () => {
  it.each([
    [['status']],
    [['status', '--debug-quota']],
    [['usage']],
    [['quota']],
    [['quota', '--details']],
    [['quotas']],
  ])('%j fits 80 columns', async (argv) => {
    expect(widest(await printed(...argv))).toBeLessThanOrEqual(80);
  });

  it.each([[['status']], [['status', '--debug-quota']], [['quota']], [['quota', '--details']]])(
    '%j fits 80 columns whatever it has to say',
    async (argv) => {
      const late = new Date(Date.now() + 29 * 86_400_000).toISOString();
      const told = meter.answers.get('/v1/quotas')?.value;
      const windows = ['5h', '7d', 'overage', 'seven_day_opus'].map((name) => ({
        name,
        status: 'allowed_warning',
        used_pct: 99.5,
        limit: 1_234_567,
        remaining: 123_456,
        resets_at: late,
      }));
      const refused = { at: late, kind: 'window', until: late };
      const limits = { lane: 'anthropic', at: late, status: 'allowed', windows, refused };
      const one = quota();
      const wide = {
        model: 'claude-haiku-4-5-20251001-with-a-long-name',
        rolling: { ...one.rolling, span_seconds: 6 * 86_400 + 23 * 3600, pct: 12_345 },
        weekly: { ...one.weekly, pct: 1000 },
        eta_seconds: 6 * 86_400 + 23 * 3600,
        block: true,
        peak_hour: { start: late, tokens: 123_456_789 },
        provider_limits: limits,
      };
      const value = {
        ...Object(told),
        mode: 'hybrid',
        rebuilding: true,
        quotas: [
          quota(wide),
          quota({ ...wide, cooldown_until: late }),
          quota(),
          quota({ model: `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${'a'.repeat(60)}` }),
          quota({
            model: '通义千问-🚀-最新版本-超长名字-通义千问-最新版本-超长名字-通义千问-最新版本-超长名字',
          }),
        ],
        cooldowns: [{ lane: 'zai', key: 'claude-haiku-4-5-20251001', until: late, stated: 'reset' }],
        provider_limits: [limits],
      };
      meter.answers.set('/v1/quotas', { status: 200, value });
      expect(widest(await printed(...argv))).toBeLessThanOrEqual(80);
    },
  );

  it.each([[['status']], [['usage']], [['quota']], [['quota', '--details']]])(
    '%j fits 60 columns, and breaks no name',
    async (argv) => {
      const models = { [LONG]: modelUsage({ requests: 3 }), 'claude-haiku-4-5': modelUsage({ requests: 3 }) };
      meter.answers.set('/v1/usage', { status: 200, value: { ...USAGE, models } });
      const page = await printedOn(60, ...argv);
      expect(widest(page)).toBeLessThanOrEqual(60);
      expect(page).not.toMatch(/^\S{1,5}$/m);
    },
  );

  it('goes without columns before it shortens a name, and breaks none', async () => {
    const models = {
      [LONG]: modelUsage({ requests: 3 }),
      'claude-haiku-4-5-20260101': modelUsage({ requests: 3 }),
    };
    meter.answers.set('/v1/usage', { status: 200, value: { ...USAGE, models } });
    const headings = async (width: number) => /^model .*/m.exec(await printedOn(width, 'usage'))?.[0];
    expect(await headings(100)).toMatch(/ cache r\/w +cost +saved$/);
    expect(await headings(80)).toMatch(/ out +cost +saved$/);
    expect(await headings(70)).toMatch(/ out +cost$/);
    expect(await printedOn(70, 'usage')).toContain(`\n${LONG} `);
    expect(await printedOn(60, 'usage')).toMatch(/\nclaude-haiku-\S*… /);
    expect(await printedOn(Number.POSITIVE_INFINITY, 'usage')).toContain('cache r/w');
  });

  it('fits 80 columns where a client names its models in wide characters', async () => {
    const models = {
      '通义千问-最新版本-超长名字-通义千问-🚀-最新版本-超长名字': modelUsage({ requests: 1 }),
    };
    meter.answers.set('/v1/usage', { status: 200, value: { ...USAGE, models } });
    const page = await printed('usage');
    expect(page).toContain('通义千问');
    expect(widest(page)).toBeLessThanOrEqual(80);
  });

  it.each([
    [['status', '--json'], 'usage'],
    [['usage', '--json'], 'models'],
    [['quota', '--json'], 'quotas'],
    [['quotas', '--json'], 'quotas'],
  ])('%j is one document', async (argv, member) => {
    expect(JSON.parse(await printed(...argv))).toHaveProperty(member);
  });

  it.each([[['status']], [['usage']], [['quota']], [['quotas']], [['quotas', 'reload']]])(
    '%j says that no proxy runs, and what to do',
    async (argv) => {
      host.write('~/.local/state/ccp/default/control.token', 'c0ntrol');
      await meter[Symbol.asyncDispose]();
      expect(await main(argv, host)).toBe(3);
      expect(host.said().err).toMatch(/no proxy answers at http:\S+ \(ECONNREFUSED\)\n.*ccp serve/);
    },
  );

  it('says so where something else answers', async () => {
    meter.answers.set('/v1/usage', { status: 200, value: { hello: 'world' } });
    expect(await main(['usage'], host)).toBe(3);
    expect(host.said().err).toMatch(/has no \/v1\/usage\?since=-24h of this version \(200\)/);
  });

  it.each([['status'], ['usage'], ['quota']])('%s does not watch a document', async (command) => {
    expect(await main([command, '--watch', '--json'], host)).toBe(2);
    expect(host.said().err).toContain('--watch and --json exclude each other');
  });
});

describe('ccp usage', () => {
  it('shows models and lanes, the busiest first, and never calls free what has no price', async () => {
    expect((await printed('usage')).replace(/^Used since .*\n/, '')).toBe(`
model             requests  errors    in   out  cache r/w        cost      saved
claude-opus-4-8       1.3k       2   40k  512k   81M/900k      $59.10          –
claude-haiku-4-5        88       –  1.2M  200k     9.0M/0       $0.73      $2.37
llama                    3       –     0   500        0/0    unpriced          ?
total                 1.4k       2  1.2M  713k   90M/900k  $59.83 + ?  $2.37 + ?

lane       requests  errors    in   out  cache r/w      cost  saved
anthropic      1.3k       2   40k  512k   81M/900k    $59.10      –
zai              88       –  1.2M  200k     9.0M/0     $0.73  $2.37
local             3       –     0   500        0/0  unpriced      ?

Cost: at list prices. Saved: what the same tokens cost at Anthropic, less that.
500 tokens have no known price; set one in a file (docs/usage.md):
  llama on lane local (output)
`);
  });

  describe('where something did not go by its route', () => {
    const diverted = (
      count: number,
      decision: string,
      { model = 'claude-haiku-4-5', refused = 0 }: { model?: string | null; refused?: number } = {},
    ) => ({ model, lane: 'anthropic', decision, count, refused });
    const page = (part: object): Promise<string> => {
      meter.answers.set('/v1/usage/diversions', { status: 200, value: { ...DIVERSIONS, ...part } });
      return printed('usage', '--since', '-7d');
    };

    it('says how many, of which model, why, and which command tells more', async () => {
      const diversions = [diverted(1_200, 'quota_block'), diverted(2, 'license_block', { model: null })];
      expect(await page({ diversions })).toContain(
        '\nNot sent by their route, or refused, and why:\n' +
          '  1.2k claude-haiku-4-5 on anthropic: quota_block, quota used up ("ccp quota")\n' +
          '  2 without a model on anthropic: license_block, no licence ("ccp license\n    status")\n' +
          'Cost: ',
      );
      expect(meter.seen).toContain('GET /v1/usage/diversions?since=-7d');
      expect(JSON.parse(await printed('usage', '--json'))).toMatchObject({ diverted: { diversions } });
    });

    it('tells what was refused from what went elsewhere', async () => {
      const diversions = [
        diverted(3, 'quota_block', { refused: 3 }),
        diverted(2, 'cooldown', { refused: 1 }),
      ];
      const said = await page({ diversions });
      expect(said).toContain('  3 claude-haiku-4-5 on anthropic: quota_block, refused, quota used up (');
      expect(said).toContain('  2 claude-haiku-4-5 on anthropic: cooldown, 1 of them refused, lane left');
    });

    it('shows the most frequent, and says what it does not show or look at', async () => {
      const diversions = [9, 8, 7, 6, 5, 4, 3].map((count) =>
        diverted(count, 'cooldown', { model: `m${count}` }),
      );
      const said = await page({ diversions, others: 10, looked_at: 1_000 });
      expect(said).toContain(
        'Not sent by their route, or refused, and why (of the newest 1.0k of 1.4k\nrequests):\n  9 m9',
      );
      expect(said).toMatch(
        / {2}5 m5 .*\n {2}and 7 more, in --json\n {2}and 10 of rarer kinds, which are only counted\n/,
      );
    });
  });

  it('shows the models beyond the most used as one line', async () => {
    const other_models = { ...totals({ requests: 9_000 }), models: 4_900 };
    meter.answers.set('/v1/usage', { status: 200, value: { ...USAGE, other_models } });
    const page = await printed('usage');
    expect(page).toMatch(/^\(others\) +9\.0k .*\ntotal /m);
    expect(page).toContain('(others): the models beyond the most used, summed.');
  });

  it('keeps the day of a snapshot where two would read the same', async () => {
    const [one, other] = ['claude-haiku-4-5-20251001', 'claude-haiku-4-5-20260101'];
    const { 'claude-opus-4-8': opus } = USAGE.models;
    meter.answers.set('/v1/usage', {
      status: 200,
      value: { ...USAGE, total: totals(), models: { [one]: opus, [other]: opus } },
    });
    const page = await printed('usage');
    for (const name of [one, other]) expect(page).toMatch(new RegExp(`^${name} `, 'm'));
  });

  it('asks for the time that it is told, and passes on what is wrong with it', async () => {
    await printed('usage', '--since', '-7d');
    expect(meter.seen).toEqual(['GET /v1/usage?since=-7d', 'GET /v1/usage/diversions?since=-7d']);
    const value = {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'ccp: since: allowed is …' },
    };
    meter.answers.set('/v1/usage', { status: 400, value });
    expect(await main(['usage', '--since', 'monday'], host)).toBe(2);
    expect(host.said().err).toBe('ccp: error: since: allowed is …\n');
  });

  it('warns of a time that lies in the future, and says no word of any other', async () => {
    expect(await main(['usage', '--since', '-7d'], host)).toBe(0);
    expect(host.said().err).toBe('');
    expect(await main(['usage', '--since', '2999-01-01'], host)).toBe(0);
    expect(host.said().err).toMatch(/--since 2999-01-01 lies in the future \(2999-01-01T00:00:00\.000Z\)/);
  });

  it('names of what has no price the busiest, and how many there are', async () => {
    const entry = totals({ requests: 1, unpriced_tokens: 3, unpriced_kinds: ['input', 'cache_read'] });
    const models = Object.fromEntries(
      ['a', 'b', 'c', 'd', 'e'].map((name) => [name, { ...modelUsage(entry), lanes: { zai: entry } }]),
    );
    const total = totals({ requests: 5, unpriced_tokens: 15, unpriced_kinds: ['input', 'cache_read'] });
    meter.answers.set('/v1/usage', { status: 200, value: { ...USAGE, total, models } });
    expect(
      await printed('usage'),
    ).toContain(`15 tokens have no known price; set one in a file (docs/usage.md):
  a on lane zai (input, cache_read)
  b on lane zai (input, cache_read)
  c on lane zai (input, cache_read)
  and 2 more, in --json
`);
  });

  it('names where nobody counted the tokens', async () => {
    const silent = totals({ requests: 3, uncounted: 2, cost_usd: null, saved_is_partial: true });
    const models = {
      glm: { ...modelUsage(silent), lanes: { zai: silent, local: totals({ requests: 1 }) } },
    };
    const total = totals({ requests: 4, uncounted: 2, cost_usd: null });
    meter.answers.set('/v1/usage', {
      status: 200,
      value: { ...USAGE, total, models, lanes: { zai: silent } },
    });
    const page = await printed('usage');
    expect(page).toMatch(/^zai +3 +– +0 +0 +0\/0 +\? +\?$/m);
    expect(page).toContain(`Not all tokens were counted of 2 requests (docs/usage.md):
  glm on lane zai (2)
`);
    expect(page).not.toContain('local');
  });

  it('wraps what it says of a long name without a price, and loses nothing of it', async () => {
    const kinds = ['input', 'output', 'cache_read', 'cache_write_5m', 'cache_write_1h'] as const;
    const entry = totals({ requests: 1, cost_usd: null, unpriced_tokens: 3, unpriced_kinds: kinds });
    const name = 'a-model-that-nobody-knows-20261102-with-a-very-long-name-indeed';
    const models = { [name]: { ...modelUsage(entry), lanes: { local: entry } } };
    const other_models = { ...totals(), models: 1 };
    meter.answers.set('/v1/usage', { status: 200, value: { ...USAGE, models, total: entry, other_models } });
    const page = await printed('usage');
    expect(widest(page)).toBeLessThanOrEqual(80);
    const note = page.slice(page.indexOf('have no known price'));
    expect(note.replaceAll(/\s+/g, ' ')).toContain(`${name} on lane local (${kinds.join(', ')}) (others)`);
  });

  it('leaves no row without a name: an empty one is shown as what it is', async () => {
    const entry = totals({ requests: 1, cost_usd: null, unpriced_tokens: 3, unpriced_kinds: ['input'] });
    const empty = { ...modelUsage({ ...entry, rolling_pct: 70 }), lanes: { zai: entry } };
    const { 'claude-opus-4-8': opus } = USAGE.models;
    const models = { '': empty, 'claude-opus-4-8': opus };
    meter.answers.set('/v1/usage', { status: 200, value: { ...USAGE, models, total: entry } });
    const page = await printed('usage');
    expect(page).toMatch(/^"" +1 +–/m);
    expect(page).toContain('  "" on lane zai (input)\n');
    expect(await printed('usage', '--banner')).toContain('· "" quota 70%');
  });

  it('says it on one line for a greeting', async () => {
    expect(await printed('usage', '--banner')).toBe(
      'ccp 24h: anthropic 1.3k req $59.10 · zai 88 req $0.73, saved $2.37 · local 3 req unpriced · ' +
        'claude-haiku-4-5 quota 70%\n',
    );
    const value = { ...USAGE, models: {}, lanes: {}, total: totals() };
    meter.answers.set('/v1/usage', { status: 200, value });
    expect(await printed('usage', '--banner', '--since', '-2h')).toBe('ccp 2h: nothing used\n');
  });
});

describe('ccp status', () => {
  it('says what runs, what is ready, what was used and what is left', async () => {
    const page = await printed('status');
    expect(page).toContain(`ccp 0.1.0 at http://127.0.0.1:${meter.port}, up 3h 20m\n`);
    expect(page).toContain('anth  reached in 31 ms\n');
    expect(page).toContain('zai   not reached: net (connect ECONNREFUSED 127.0.0.1:1), its key is not set\n');
    expect(page).toContain('licence: plan trial\n');
    expect(page).toMatch(/^total +1.4k /m);
    expect(page).toMatch(/^\*haiku\* \(zai\) .*70% .*ok, full in 1h 30m\n/m);
  });

  it('says what holds before any route', async () => {
    expect(await printed('status')).not.toMatch(/paused|override/);
    heldBefore({ model_override: 'claude-haiku-4-5' });
    expect(await printed('status')).toContain(
      '\noverride: every request is routed as claude-haiku-4-5 (end it by "ccp model\n  --clear", or unset CCP_MODEL)\n',
    );
    heldBefore({ paused: true });
    expect(await printed('status')).toContain('\npaused: everything goes to Anthropic\n');
  });
});

describe('ccp quota', () => {
  const stand = async (part: Parameters<typeof quota>[0]): Promise<string> => {
    const told = meter.answers.get('/v1/quotas')?.value;
    meter.answers.set('/v1/quotas', { status: 200, value: { ...Object(told), quotas: [quota(part)] } });
    return printed('quota');
  };

  it.each(['off', 'hybrid'])('never speaks of room in mode %s, where nothing is held back', async (mode) => {
    expect(await answered({ mode, quotas: [quota({ block: true })] }, 'quota')).toMatch(/ {2}full\n$/);
  });

  it('says of a window of the upstream that it was reset since, and nothing more', async () => {
    const at = new Date(Date.now() - 60_000).toISOString();
    const window = { status: 'allowed', limit: 100, remaining: 3, used_pct: 97 };
    const windows = [
      { ...window, name: '5h', resets_at: at },
      { ...window, name: '7d', resets_at: null },
    ];
    const limits = { lane: 'anthropic', at, status: 'allowed', windows, refused: null };
    const told = { quotas: [quota({ provider_limits: limits })], provider_limits: [limits] };
    for (const argv of [['quota'], ['quota', '--details'], ['status']]) {
      const page = (await answered(told, ...argv)).replaceAll(/\s+/g, ' ');
      expect(page).toMatch(/5h reset since (?:\d+ \w+ )?\d\d:\d\d, 7d 97% used 3 of 100 left/);
    }
  });

  it.each([
    [{ warn: true }, 'warn, full in 1h 30m'],
    [{ block: true }, 'full, room in 1h 30m'],
    [{ block: true, eta_seconds: null }, 'full'],
    [{ eta_seconds: null }, 'ok'],
  ])('says how one stands: %j', async (part, text) => {
    expect(await stand(part)).toMatch(new RegExp(`  ${text}$`, 'm'));
  });

  const answered = async (part: object, ...argv: string[]): Promise<string> => {
    const told = meter.answers.get('/v1/quotas')?.value;
    meter.answers.set('/v1/quotas', { status: 200, value: { ...Object(told), ...part } });
    return printed(...argv);
  };

  it.each([
    ['off', 'Mode off: quotas only count, nothing is held back.\n'],
    ['block', 'Mode block: a full quota sends requests to the next lane, else answers 429.\n'],
    ['hybrid', "Mode hybrid: a full quota holds nothing back, only the upstream's limit does.\n"],
  ])('says what mode %s does', async (mode, line) => {
    for (const argv of [['quota'], ['quota', '--details'], ['status'], ['status', '--debug-quota']]) {
      expect(await answered({ mode }, ...argv)).toContain(line);
    }
  });

  it('warns of quotas that count nothing, wherever quotas are shown', async () => {
    const warnings = ['the quota for "*" on lane zia in /q.json counts nothing: there is no lane zia'];
    for (const argv of [
      ['quota'],
      ['quota', '--details'],
      ['quotas'],
      ['status'],
      ['status', '--debug-quota'],
    ]) {
      const page = await answered({ warnings }, ...argv);
      expect(page.replaceAll(/\s+/g, ' ')).toContain(`warning: ${warnings[0]}`);
    }
  });

  it('warns of a file that was refused where no quota counts, too', async () => {
    const refused = { since: new Date().toISOString(), why: '/q.json:1:2: it is no JSON' };
    for (const argv of [['quota'], ['quota', '--details'], ['quotas'], ['status']]) {
      const page = await answered({ quotas: [], file: null, refused }, ...argv);
      expect(page.replaceAll(/\s+/g, ' ')).toMatch(
        /Attention: the earlier quotas hold \(of no file, as of [^)]+\): .* since \d\d:\d\d: \/q\.json:1:2: it is no JSON\./,
      );
    }
  });

  it('says that the quotas are the earlier ones, and since when, in front of what it says of them', async () => {
    const refused = { since: new Date().toISOString(), why: '/q.json:1:2: it is no JSON' };
    const attention =
      /Attention: the earlier quotas hold \(\/home\/me\/\.config\/ccp\/quotas\.json as of [^)]+\): what the file says now is refused since \d\d:\d\d: \/q\.json:1:2: it is no JSON\. warning: idle/;
    for (const argv of [['quota'], ['quota', '--details'], ['status'], ['status', '--debug-quota']]) {
      const page = await answered({ refused, warnings: ['idle'] }, ...argv);
      expect(page.replaceAll(/\s+/g, ' ')).toMatch(attention);
    }
    const page = await answered({ refused, file: null }, 'quotas');
    expect(page.replaceAll(/\s+/g, ' ')).toMatch(
      /hold \(sent by hand, as of [^)]+\): [^|]* model lane rolling/,
    );
  });

  it('calls no quota well that counts nothing', async () => {
    const quotas = (['no_lane', 'no_route', 'no_match'] as const).map((idle) => quota({ idle }));
    const page = await answered({ quotas }, 'quota');
    expect(page).toMatch(
      / {3}counts nothing: no such lane\n.* {3}counts nothing: no route\n.* {3}has counted nothing\n$/,
    );
    expect(page).not.toContain('full in');
    expect(await answered({ quotas }, 'quota', '--details')).toContain(
      'doubt      counts nothing: no such lane\n',
    );
  });

  it('says that figures are too low while the windows are rebuilt', async () => {
    expect(await answered({ rebuilding: true }, 'quota')).toMatch(
      /\nThe windows are still being rebuilt: .*\n\*haiku/,
    );
  });

  it('says that quotas count this run only, why and what to do, where the store cannot tell', async () => {
    const told = {
      rebuilding: true,
      rebuild_trouble: '/x is a folder, and no file for the store. Name another file with CCP_DB_PATH.',
    };
    for (const argv of [['quota'], ['quota', '--details'], ['status']]) {
      const shown = (await answered(told, ...argv)).replaceAll(/\s+/g, ' ');
      expect(shown).toContain(
        `Quotas count only what this run of ccp has seen, as its store cannot be read: ${told.rebuild_trouble}`,
      );
      expect(shown).not.toContain('still being rebuilt');
    }
  });

  it.each([
    [0, 'the time since the warning is known of no hit'],
    [1, 'the time since the warning is known of 1 hit'],
    [3, 'the time since the warning is known of 3 hits'],
  ])(
    'says of how many hits the gap is known, after a restart perhaps of none: %i',
    async (gap_samples, text) => {
      const page = await answered({ quotas: [quota({ gap_samples })] }, 'quota', '--details');
      expect(page.replaceAll(/\s+/g, ' ')).toContain(`learned warn at 72% (confidence 0.50; ${text})`);
    },
  );

  it('says until when a lane is left alone', async () => {
    const until = new Date(Date.now() + 90_000).toISOString();
    expect(await stand({ cooldown_until: until })).toMatch(/ {2}cooling until (?:\d+ \w+ )?\d\d:\d\d\n$/);
  });

  it('shows what upstreams say of themselves beside our own count, and whom we leave alone', async () => {
    const soon = new Date(Date.now() + 90_000).toISOString();
    const window = { status: 'allowed', limit: null, remaining: null, resets_at: soon };
    const provider_limits: LimitsAnswer[] = [
      {
        lane: 'anthropic',
        at: soon,
        status: 'allowed',
        windows: [{ ...window, name: '5h', used_pct: 42 }],
        refused: null,
      },
    ];
    const refused = { at: soon, kind: 'window', until: null };
    const later = new Date(Date.parse(soon) + 60_000).toISOString();
    const silent = { lane: 'zai', at: soon, status: null, windows: [], refused };
    provider_limits.push({ ...silent, lane: 'local', at: later }, silent);
    const cooldowns = [
      { lane: 'zai', key: '*haiku*', until: soon, stated: 'reset' },
      { lane: 'local', key: 'llama', until: soon, stated: 'implausible' },
    ];
    const told = meter.answers.get('/v1/quotas')?.value;
    meter.answers.set('/v1/quotas', { status: 200, value: { ...Object(told), cooldowns, provider_limits } });
    for (const argv of [['quota'], ['status']]) {
      const page = await printed(...argv);
      expect(page).toMatch(
        /^zai: \*haiku\* is left alone until .*\d\d:\d\d \(when its limit is reset, as it said\)$/m,
      );
      expect(page.replaceAll(/\s+/g, ' ')).toMatch(
        /local: llama is left alone until \S*[^(]*\(the time that it named is over or more than 31 days ahead\)/,
      );
      expect(page).toMatch(/^anthropic says of itself: 5h 42% used until .*\d\d:\d\d \(at .*\d\d:\d\d\)$/m);
      // The time of a refusal is said once, that of a later answer beside it.
      expect(page).toMatch(/^zai says of itself: refused at .*\d\d:\d\d \(window\)$/m);
      expect(page).toMatch(/^local says of itself: refused at .*\d\d:\d\d \(window\) \(at .*\d\d:\d\d\)$/m);
    }
    expect(await printed('statusline')).toMatch(
      /^anthropic 5h 42% · local .* · zai 5h 70% \(\*haiku\* cooling until .*\d\d:\d\d\) · saved/,
    );
  });

  it('says that none are set', async () => {
    const told = meter.answers.get('/v1/quotas')?.value;
    meter.answers.set('/v1/quotas', { status: 200, value: { ...Object(told), file: null, quotas: [] } });
    expect(await printed('quota')).toBe('No quotas are set: traffic is metered, and never held back.\n');
    expect(await printed('quotas')).toContain('No quotas are set.');
  });
});

it('says a refusal once in all details, and that a throttled lane taught nothing', async () => {
  const at = new Date().toISOString();
  const refused = { at, kind: 'throttle', until: null };
  const limits = { lane: 'zai', at, status: null, windows: [], refused };
  const told = meter.answers.get('/v1/quotas')?.value;
  const quotas = [quota({ provider_limits: limits, gap_samples: 0, warn_pct_auto: null })];
  const value = { ...Object(told), quotas, provider_limits: [limits] };
  meter.answers.set('/v1/quotas', { status: 200, value });
  const page = await printed('quota', '--details');
  expect(page.match(/refused at/g)).toHaveLength(1);
  expect(page).toContain('nothing yet: no window of the provider was used up');
});

describe('a quota that is full', () => {
  const pageOf = async (part: object, ...argv: string[]): Promise<string> => {
    const told = meter.answers.get('/v1/quotas')?.value;
    const value = { ...Object(told), quotas: [quota({ block: true })], ...part };
    meter.answers.set('/v1/quotas', { status: 200, value });
    return (await printed(...argv)).replaceAll(/\n {2}/g, ' ');
  };

  it.each([[['quota']], [['quota', '--details']], [['status']]])(
    'in %j names the file, and how to lift the block',
    async (argv) => {
      const file = '/home/me/.config/ccp/quotas.json';
      expect(await pageOf({}, ...argv)).toContain(
        `To lift a block: raise the cap in ${file}, or "ccp quotas reload FILE" (docs/quotas.md).\n`,
      );
      expect(await pageOf({ file: null }, ...argv)).toContain(
        'To lift a block: send a file with a higher cap, "ccp quotas reload FILE" (docs/quotas.md).\n',
      );
    },
  );

  it('needs no lifting where nothing is held back', async () => {
    expect(await pageOf({ mode: 'hybrid' }, 'quota')).not.toContain('To lift');
    expect(await pageOf({ quotas: [quota()] }, 'quota')).not.toContain('To lift');
  });
});

describe('ccp quotas reload', () => {
  beforeEach(() => void host.write('~/.local/state/ccp/default/control.token', 'c0ntrol'));

  it('has the proxy read its file again', async () => {
    expect(await printed('quotas', 'reload')).toMatch(
      /^Taken\. Quotas: \/home\/me\/\.config\/ccp\/quotas\.json\n/,
    );
    expect(meter.seen).toEqual(['POST /v1/quotas/reload']);
    const { value } = meter.answers.get('/v1/quotas/reload') ?? {};
    const warnings = ['the quota for "*" counts nothing'];
    meter.answers.set('/v1/quotas/reload', { status: 200, value: { ...Object(value), warnings } });
    expect(await printed('quotas', 'reload')).toMatch(/^Taken, with warnings\. /);
  });

  it('sends the content of a file, never its path', async () => {
    host.write('mine.json', '{"quotas":[]}');
    await printed('quotas', 'reload', 'mine.json');
    expect(meter.seen).toEqual(['POST /v1/quotas/reload {"quotas":[]}']);
  });

  it('says why the proxy did not take them', async () => {
    const message = 'ccp: the quotas sent:1: quotas.0.model: must be a glob';
    meter.answers.set('/v1/quotas/reload', { status: 400, value: { error: { message } } });
    host.write('mine.json', '{"quotas":[]}');
    expect(await main(['quotas', 'reload', 'mine.json'], host)).toBe(2);
    expect(host.said().err).toBe('ccp: error: the quotas sent:1: quotas.0.model: must be a glob\n');
  });

  it.each([
    ['', 'mine.json: it is no JSON: it is empty'],
    ['{"quotas":[{"lane":"zai"}]}', 'mine.json:1:12: quotas[0].model: must be a glob'],
  ])('names the file that is wrong, and sends nothing: %j', async (text, why) => {
    host.write('mine.json', text);
    expect(await main(['quotas', 'reload', 'mine.json'], host)).toBe(2);
    expect(host.said().err).toContain(`ccp: error: ${why}`);
    expect(meter.seen).toEqual([]);
  });

  it('says that there is no such file', async () => {
    expect(await main(['quotas', 'reload', 'nothing.json'], host)).toBe(2);
    expect(host.said().err).toContain('there is no file');
  });
});

describe('ccp quotas end-cooldown', () => {
  const PATH = '/v1/quotas/end-cooldown';
  const ended = [{ lane: 'zai', key: '*haiku*', until: '2026-11-02T12:30:00.000Z', stated: 'reset' }];
  beforeEach(() => void host.write('~/.local/state/ccp/default/control.token', 'c0ntrol'));

  it('ends all, those of a lane, or one, and says which', async () => {
    meter.answers.set(PATH, { status: 200, value: { ended } });
    expect(await printed('quotas', 'end-cooldown')).toMatch(
      /^zai: \*haiku\* is tried again; it was to rest until .*\d\d:\d\d\n$/,
    );
    await printed('quotas', 'end-cooldown', 'zai');
    expect(JSON.parse(await printed('quotas', 'end-cooldown', 'zai', '*haiku*', '--json'))).toEqual({
      ended,
    });
    expect(meter.seen).toEqual([
      `POST ${PATH} {}`,
      `POST ${PATH} {"lane":"zai"}`,
      `POST ${PATH} {"lane":"zai","key":"*haiku*"}`,
    ]);
  });

  it.each([
    [[], 'no lane is left alone'],
    [['zai'], 'lane zai is not left alone'],
    [['zai', '*haiku*'], '"*haiku*" on lane zai is not left alone'],
  ])('says that there is nothing to end, which is no mistake: %j', async (names, said) => {
    meter.answers.set(PATH, { status: 200, value: { ended: [] } });
    expect(await printed('quotas', 'end-cooldown', ...names)).toBe(`Nothing to end: ${said}.\n`);
    expect(JSON.parse(await printed('quotas', 'end-cooldown', ...names, '--json'))).toEqual({ ended: [] });
  });

  it('says what the proxy says of a name that is nothing, and exits 2', async () => {
    const message = 'ccp: lane: allowed is zai';
    meter.answers.set(PATH, { status: 400, value: { type: 'error', error: { type: 'x', message } } });
    expect(await main(['quotas', 'end-cooldown', 'zay', '--json'], host)).toBe(2);
    expect(host.said()).toMatchObject({ out: '', err: 'ccp: error: lane: allowed is zai\n' });
  });
});

describe('ccp statusline', () => {
  /** Epoch seconds, of another year whenever that is. */
  const resets_at = Math.floor(Date.now() / 1000) + 400 * 86_400;
  const limits = {
    five_hour: { used_percentage: 42.4, resets_at },
    seven_day: { used_percentage: 96, resets_at },
  };
  const line = async (input: unknown): Promise<string> => {
    host.typed = typeof input === 'string' ? input : JSON.stringify(input);
    return printed('statusline');
  };

  it('shows Anthropic as Claude Code was told, and Z.AI as we count', async () => {
    expect(await line({ model: { display_name: 'Opus 4.8' }, rate_limits: limits })).toMatch(
      /^Opus 4\.8 · anthropic 5h 42% 7d 96% until \d+ \w+ \d{4} \d\d:\d\d · local 0 in 500 out\/24h · zai 5h 70% · saved \$2\.37\/24h \+ \?\n$/,
    );
  });

  const quotas = async (part: object, input: unknown = {}): Promise<string> => {
    const told = meter.answers.get('/v1/quotas')?.value;
    meter.answers.set('/v1/quotas', { status: 200, value: { ...Object(told), ...part } });
    return line(input);
  };
  const early = quota({
    rolling: { ...quota().rolling, pct: 75 },
    weekly: { ...quota().weekly, pct: 40 },
    warn_pct: 60,
    block_pct: 75,
    warn: true,
    block: true,
    eta_seconds: 17_940,
  });

  it('says that a quota is full by its own block_pct, and when there is room, on a line of 80 columns', async () => {
    const soon = Math.floor(Date.now() / 1000) + 60;
    const rate_limits = {
      five_hour: { used_percentage: 42, resets_at: soon },
      seven_day: { used_percentage: 96, resets_at: soon },
    };
    const said = await quotas({ quotas: [early] }, { rate_limits });
    expect(said).toMatch(
      /^anthropic 5h 42% 7d 96% until [^·]* · local [^·]* · zai 5h full, room in 4h 59m · /,
    );
    meter.answers.set('/v1/usage', { status: 200, value: { ...USAGE, lanes: {}, total: totals() } });
    const both = await line({ model: { display_name: 'Opus 4.8' }, rate_limits });
    expect(both).toMatch(/zai 5h full, room in 4h 59m\n$/);
    expect(widest(both)).toBeLessThanOrEqual(80);
  });

  it('names the quota that is full where others of the lane are not, and both windows where both are', async () => {
    expect(await quotas({ quotas: [quota({ model: '*' }), early] })).toContain(
      ' · zai 5h full (*haiku*), room in 4h 59m · ',
    );
    const whole = { ...early, model: '*', weekly: { ...early.weekly, pct: 99 }, eta_seconds: 90_000 };
    expect(await quotas({ quotas: [early, whole] })).toContain(' · zai 5h 7d full, room in 1d 1h · ');
    expect(await quotas({ quotas: [early, whole, quota()] })).toContain(' full (* + 1), room in 1d 1h · ');
    expect(await quotas({ quotas: [{ ...early, eta_seconds: null }] })).toContain(' · zai 5h full · ');
  });

  it('shows no lane that is not there, and says how many quotas count nothing, and that their file is refused', async () => {
    const typo = quota({ lane: 'zia', idle: 'no_lane' });
    const unrouted = quota({ model: '*opus*', idle: 'no_route', rolling: { ...quota().rolling, pct: 99 } });
    const refused = { since: new Date().toISOString(), why: 'it is no JSON' };
    const said = await quotas({ quotas: [typo, quota()] });
    expect(said).not.toContain('zia');
    expect(said).toMatch(/ · zai 5h 70% · .* · 1 quota counts nothing\n$/);
    expect(await quotas({ quotas: [typo, unrouted, quota()], refused })).toMatch(
      / · zai 5h 70% · .* · quota file refused · 2 quotas count nothing\n$/,
    );
    // That none came yet says nothing of a lane.
    expect(await quotas({ quotas: [quota({ idle: 'no_match' })] })).not.toContain('nothing');
  });

  it('says what holds before any route: a pause before an override', async () => {
    heldBefore({ model_override: 'claude-haiku-4-5' });
    expect(await line({})).toMatch(/ · saved [^·]+ · all routed as claude-haiku-4-5\n$/);
    heldBefore({ paused: true });
    expect(await line({})).toMatch(/ · saved [^·]+ · paused\n$/);
  });

  it.each(['off', 'hybrid'])('calls no quota full in mode %s, where nothing is held back', async (mode) => {
    expect(await quotas({ mode, quotas: [early] })).toContain(' · zai 5h 75% 7d 40% · ');
  });

  it('says that a budget of ours is used up where Anthropic still has room', async () => {
    const rate_limits = { five_hour: { used_percentage: 7 } };
    expect(await quotas({ quotas: [{ ...early, lane: 'anthropic' }] }, { rate_limits })).toMatch(
      /^anthropic 5h 7%, quota 5h full, room in 4h 59m · /,
    );
  });

  it('colours by the warn_pct and block_pct of each quota, also where standard output is no terminal', async () => {
    delete host.env['NO_COLOR'];
    const [red, yellow] = ['\u001b[31m', '\u001b[33m'];
    expect(await quotas({ quotas: [early] })).toContain(`zai ${red}5h full, room in 4h 59m\u001b[39m`);
    expect(await quotas({ mode: 'hybrid', quotas: [early] })).toContain(`zai 5h ${red}75%\u001b[39m 7d 40%`);
    const pct = (rolling: number, warn_pct: number, block_pct: number) => ({
      quotas: [quota({ rolling: { ...quota().rolling, pct: rolling }, warn_pct, block_pct })],
    });
    expect(await quotas(pct(61, 60, 75))).toContain(`zai 5h ${yellow}61%\u001b[39m`);
    expect(await quotas(pct(99, 110, 120))).toContain('zai 5h 99% ·');
    expect(await quotas({ quotas: [{ ...early, block: false, block_pct: 120 }] })).toContain(
      `zai 5h ${yellow}75%`,
    );
  });

  it.each([
    ['NO_COLOR', '1', false],
    ['NO_COLOR', '', true],
    ['FORCE_COLOR', '0', false],
    ['FORCE_COLOR', 'false', false],
    ['FORCE_COLOR', '1', true],
  ])('with %s=%s draws colours: %s', async (name, value, isDrawn) => {
    delete host.env['NO_COLOR'];
    host.env[name] = value;
    expect((await quotas({ quotas: [early] })).includes('\u001b[')).toBe(isDrawn);
  });

  it('leaves out a window that was reset since, and counts where none is left', async () => {
    const past = Math.floor(Date.now() / 1000) - 60;
    const five_hour = { used_percentage: 97, resets_at: past };
    const seven_day = { used_percentage: 12, resets_at };
    expect(await line({ rate_limits: { five_hour, seven_day } })).toMatch(/^anthropic 7d 12% · /);
    const windows = [97, null].map((used_pct) => ({
      name: '5h',
      status: null,
      used_pct,
      limit: null,
      remaining: null,
      resets_at: new Date(past * 1000).toISOString(),
    }));
    const at = new Date().toISOString();
    const provider_limits = [{ lane: 'anthropic', at, status: null, windows, refused: null }];
    expect(await quotas({ provider_limits }, { rate_limits: { five_hour } })).toMatch(
      /^anthropic 40k in 512k out\/24h · /,
    );
    // As where it was never told.
    five_hour.resets_at = 0;
    expect(await line({ rate_limits: { five_hour } })).not.toContain('1970');
  });

  it('counts Anthropic, too, without a subscription', async () => {
    expect(await line({ model: { display_name: 'Opus 4.8' } })).toMatch(
      /^Opus 4\.8 · anthropic 40k in 512k out\/24h · /,
    );
  });

  it.each(['', '{', 'null', '[]', '{"model":7,"rate_limits":{"five_hour":"soon"}}'])(
    'prints a line for the input %j',
    async (input) => {
      expect(await line(input)).toMatch(/^anthropic [^\n]+\n$/);
    },
  );

  it('prints what it knows where no proxy runs', async () => {
    await meter[Symbol.asyncDispose]();
    expect(await line({ rate_limits: { five_hour: { used_percentage: 7 } } })).toBe(
      'anthropic 5h 7% · ccp is not running\n',
    );
  });

  it('does not wait for a proxy that does not answer', async () => {
    for (const path of ['/v1/usage', '/v1/quotas']) meter.silent.add(path);
    const asked = performance.now();
    expect(await line({})).toBe('ccp does not answer\n');
    expect(performance.now() - asked).toBeLessThan(2_000);
  });

  it('calls no proxy silent whose answer it had no time to hear', async () => {
    // The program itself loads what it needs first; here the questions are out before the processor is taken away.
    const printing = statusline(host, { json: false });
    const until = performance.now() + 600;
    while (performance.now() < until);
    await printing;
    expect(host.said().out).toMatch(/^anthropic 40k in 512k out\/24h · .* · zai 5h 70% · [^:]*$/);
  });

  it('counts a lane without a quota as "ccp usage" does, figure by figure', async () => {
    const row = /^anthropic +\S+ +\S+ +(\S+) +(\S+)/m.exec(await printed('usage'));
    expect(await line({})).toContain(`anthropic ${row?.[1]} in ${row?.[2]} out/24h`);
  });

  it('prints as one document what the line is made of', async () => {
    host.typed = JSON.stringify({ model: { display_name: 'Opus 4.8' }, rate_limits: limits });
    const { claude_code, proxy } = JSON.parse(await printed('statusline', '--json'));
    expect(claude_code).toMatchObject({
      model: { display_name: 'Opus 4.8' },
      rate_limits: {
        seven_day: { used_percentage: 96, resets_at: new Date(resets_at * 1000).toISOString() },
      },
    });
    expect(proxy).toMatchObject({
      state: 'told',
      usage: { lanes: { zai: { requests: 88 } } },
      quotas: { mode: 'block' },
    });
    await meter[Symbol.asyncDispose]();
    expect(JSON.parse(await printed('statusline', '--json'))).toMatchObject({ proxy: { state: 'down' } });
  });

  it('calls no proxy down that answers with something else', async () => {
    for (const path of ['/v1/usage', '/v1/quotas']) meter.answers.set(path, { status: 404, value: null });
    expect(await line({})).toBe('ccp does not answer\n');
  });

  it('shows the quotas, which are in memory, while the store keeps the usage waiting', async () => {
    meter.silent.add('/v1/usage');
    expect(await line({ rate_limits: { five_hour: { used_percentage: 7 } } })).toBe(
      'anthropic 5h 7% · zai 5h 70% · usage: no answer\n',
    );
  });

  it('shows what was used where the quotas cannot be read', async () => {
    meter.answers.set('/v1/quotas', { status: 200, value: { of: 'an older ccp' } });
    expect(await line({})).toMatch(
      /^anthropic 40k in 512k out\/24h · local .* · zai 1\.2M in 200k out\/24h · saved \$2\.37\/24h \+ \? · quotas: no answer\n$/,
    );
  });

  it('calls cooling what cools, and not the whole lane', async () => {
    const soon = new Date(Date.now() + 60_000).toISOString();
    const told = meter.answers.get('/v1/quotas')?.value;
    const cool = async (...keys: string[]) => {
      const cooldowns = keys.map((key) => ({ lane: 'zai', key, until: soon, stated: 'reset' }));
      meter.answers.set('/v1/quotas', { status: 200, value: { ...Object(told), quotas: [], cooldowns } });
      return line({});
    };
    expect(await cool('glm-5')).toMatch(/ · zai 1\.2M in 200k out\/24h \(glm-5 cooling until [^)]+\) · /);
    expect(await cool('glm-5', 'glm-4.6')).toMatch(
      / · zai 1\.2M in 200k out\/24h \(glm-5 \+ 1 cooling until [^)]+\) · /,
    );
    expect(await cool('glm-5', '*')).toMatch(/ · zai cooling until [^)]+ · /);
  });

  it('prints a line where the settings are wrong', async () => {
    host.env['CCP_PORT'] = 'eight';
    expect(await line({})).toBe('ccp: settings are wrong ("ccp doctor")\n');
  });

  it('never lets a name command the terminal', async () => {
    expect(await line({ model: { display_name: 'a\u001b[31m' } })).toMatch(/^a\u{fffd}\[31m · /u);
  });
});
