import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileAnswer } from '../../core/upstream/get-file.ts';
import type { Clock } from '../../platform/clock.ts';
import type { GetFile } from './fetch-policy.ts';
import { createPolicy, type Policy, type PolicyOptions, type PolicySource } from './policy.ts';
import { createSigner, MID_2030, packText, type Signer } from './testing/signer.ts';

const DAY_MS = 86_400_000;
const REFRESH_MS = 300_000;

let folder: string;
let signer: Signer;
let clock: ReturnType<typeof createTestClock>;
let server: ReturnType<typeof createServer>;
let open: Policy[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ccp-policy-'));
  signer = createSigner();
  clock = createTestClock();
  server = createServer();
  open = [];
});
afterEach(async () => {
  for (const policy of open) await policy[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** A clock that stands still until it is told to move; what is due then is called in its order. */
function createTestClock() {
  let monotonic = 0;
  let ahead = MID_2030;
  const due = new Map<object, { readonly at: number; readonly callback: () => void }>();
  const system: Clock = {
    now: () => monotonic + ahead,
    monotonic: () => monotonic,
    after(ms, callback) {
      const timer = {};
      due.set(timer, { at: monotonic + ms, callback });
      return () => void due.delete(timer);
    },
  };
  return {
    ...system,
    pass(ms: number): void {
      const end = monotonic + ms;
      for (;;) {
        const [next] = [...due].filter(([, { at }]) => at <= end).toSorted(([, a], [, b]) => a.at - b.at);
        if (next === undefined) break;
        const [timer, { at, callback }] = next;
        due.delete(timer);
        monotonic = at;
        callback();
      }
      monotonic = end;
    },
    /** As somebody who sets the date would, or a machine that slept: timers do not notice. */
    set(ms: number): void {
      ahead = ms - monotonic;
    },
    /** Milliseconds until what comes next. */
    next: (): number => Math.min(...[...due.values()].map(({ at }) => at)) - monotonic,
  };
}

/** What answers at the address of the policy: a pack, or trouble. */
function createServer() {
  const asked: string[][] = [];
  const at: { pack: Buffer; signature: string; etag: string | null; answer: FileAnswer | null } = {
    pack: Buffer.alloc(0),
    signature: '',
    etag: null,
    answer: null,
  };
  const get: GetFile = async ({ url, headers }) => {
    asked.push([url.pathname, ...headers]);
    if (at.answer !== null) return at.answer;
    const isPack = url.pathname === '/policy.json';
    const known = at.etag !== null && headers.includes(at.etag);
    const body = isPack ? at.pack : Buffer.from(at.signature);
    return isPack && known
      ? { status: 304, etag: at.etag, encoding: null, body: Buffer.alloc(0) }
      : { status: 200, etag: at.etag, encoding: null, body };
  };
  return {
    at,
    asked,
    get,
    publish(part: Readonly<Record<string, unknown>>, by = signer): void {
      at.pack = packText(part);
      at.signature = by.sign(at.pack);
      at.etag = null;
      at.answer = null;
    },
  };
}

interface World {
  readonly policy: Policy;
  /** Versions in the order in which they came into effect; null for the embedded default. */
  readonly effects: (number | null)[];
  readonly said: string[];
}

function start(source: Partial<PolicySource> = {}, options: Partial<PolicyOptions> = {}): World {
  const effects: (number | null)[] = [];
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const path = join(folder, 'policy-cache.json');
  const policy = createPolicy({
    source: {
      url: new URL('https://ops.example/policy.json'),
      publicKey: signer.publicKey,
      refreshMs: REFRESH_MS,
      path,
      read: () => readIfThere(path),
      ...source,
    },
    get: server.get,
    leadsToUs: async () => false,
    apply: (pack) => void effects.push(pack?.version ?? null),
    clock,
    log: { info: say, warn: say, error: say },
    random: () => 0.5,
    ...options,
  });
  open.push(policy);
  return { policy, effects, said };
}

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

/** Starts it and waits until the first look is over. */
async function follow(source?: Partial<PolicySource>, options?: Partial<PolicyOptions>): Promise<World> {
  const world = start(source, options);
  await world.policy.load();
  world.policy.follow();
  await looked();
  return world;
}

/** Lets a look under way come to its end: nothing in it takes longer than a few turns of the loop. */
async function looked(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

async function nextLook(): Promise<void> {
  clock.pass(REFRESH_MS * 1.1);
  await looked();
}

const cache = (): { policy: string; signature: string; fetched_at: string; url: string } =>
  JSON.parse(readFileSync(join(folder, 'policy-cache.json'), 'utf8'));

it('is none of anybody’s business where none is configured', async () => {
  const { policy, effects, said } = start({}, { source: null });
  await policy.load();
  policy.follow();
  const none = { source: 'none', version: null, age_s: null, reason: null };
  expect([policy.state(), effects, said, server.asked]).toEqual([none, [], [], []]);
});

it('fetches at once, and keeps what it took over for its owner alone, to the byte', async () => {
  server.publish({ version: 3 });
  const { policy, effects, said } = await follow();
  expect(effects).toEqual([3]);
  expect(policy.state()).toEqual({ source: 'fetched', version: 3, age_s: 0, reason: null });
  expect(said).toEqual([
    '[policy] source=embedded reason=pending',
    '[policy] source=fetched version=3 age=0s routes=2 upstreams=[zai] expires=2031-01-01T00:00:00.000Z',
  ]);
  expect(Buffer.from(cache().policy)).toEqual(server.at.pack);
  expect(cache()).toMatchObject({ signature: server.at.signature, url: 'https://ops.example/policy.json' });
  expect(statSync(join(folder, 'policy-cache.json')).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['policy-cache.json']);
});

it('starts from the cache without asking anybody, and says how old that is', async () => {
  server.publish({ version: 3 });
  await follow();
  clock.pass(90_000);
  server.asked.length = 0;
  const { policy, effects } = start();
  await policy.load();
  expect([effects, server.asked]).toEqual([[3], []]);
  expect(policy.state()).toEqual({ source: 'cache', version: 3, age_s: 90, reason: null });
});

describe('a refresh', () => {
  it('asks by the tag of what it has, and counts an unchanged pack as fresh', async () => {
    server.publish({ version: 3 });
    server.at.etag = '"v3"';
    const { policy, effects } = await follow();
    expect(server.asked.map(([path]) => path)).toEqual(['/policy.json', '/policy.json.sig']);
    clock.pass(REFRESH_MS - 1);
    expect(policy.state().age_s).toBe(299);
    clock.pass(1);
    await looked();
    expect(server.asked.slice(2)).toEqual([
      [
        '/policy.json',
        'accept',
        '*/*',
        'accept-encoding',
        'identity',
        'cache-control',
        'no-cache',
        'if-none-match',
        '"v3"',
      ],
    ]);
    expect(policy.state()).toEqual({ source: 'fetched', version: 3, age_s: 0, reason: null });
    expect(effects).toEqual([3]);
    expect(cache().fetched_at).toBe(new Date(clock.now()).toISOString());
  });

  it('takes no tag from the cache: it could hide a newer pack', async () => {
    server.publish({ version: 3 });
    server.at.etag = '"v3"';
    await follow();
    server.publish({ version: 4 });
    server.at.etag = '"v3"';
    expect((await follow()).effects).toEqual([3, 4]);
  });

  it('never sends back a tag that is none', async () => {
    server.publish({ version: 3 });
    server.at.etag = '"a"\r\nx: y';
    await follow();
    await nextLook();
    expect(server.asked.flat()).not.toContain('if-none-match');
  });

  it('takes a new version over, and says so', async () => {
    server.publish({ version: 3 });
    const { effects, said } = await follow();
    server.publish({ version: 4, upstreams: {} });
    await nextLook();
    expect(effects).toEqual([3, 4]);
    expect(said.at(-1)).toContain('source=fetched version=4 age=0s routes=2 upstreams=[]');
  });

  it('comes at the interval, a tenth sooner or later', async () => {
    server.publish({ version: 3, expires_at: '2099-01-01T00:00:00Z' });
    for (const [random, wait] of [
      [0, 0.9],
      [0.5, 1],
      [1, 1.1],
    ] as const) {
      const timed = createTestClock();
      const waits: number[] = [];
      const after: Clock['after'] = (ms, callback) => {
        waits.push(ms);
        return timed.after(ms, callback);
      };
      await follow({}, { random: () => random, clock: { ...timed, after } });
      expect(waits.at(-1)).toBeCloseTo(REFRESH_MS * wait);
    }
  });
});

describe('a look that fails', () => {
  it.each<[string, FileAnswer]>([
    ['unreachable', { error: 'unreachable', message: 'connect ECONNREFUSED (net)' }],
    ['timeout', { error: 'timeout', message: 'no whole answer within 10000 ms' }],
    ['too_large', { error: 'too_large', message: 'more than 1048576 bytes came' }],
    ['http_status', { status: 500, etag: null, encoding: null, body: Buffer.alloc(0) }],
    ['http_status', { status: 404, etag: null, encoding: null, body: Buffer.alloc(0) }],
    ['http_status', { status: 304, etag: null, encoding: null, body: Buffer.alloc(0) }],
    ['redirect', { status: 302, etag: null, encoding: null, body: Buffer.alloc(0) }],
    ['encoded', { status: 200, etag: null, encoding: 'gzip', body: Buffer.alloc(0) }],
  ])('with %s leaves everything as it is, and is told once', async (reason, answer) => {
    server.publish({ version: 3 });
    const { policy, effects, said } = await follow();
    server.at.answer = answer;
    for (let i = 0; i < 3; i++) await nextLook();
    expect(policy.state()).toMatchObject({ source: 'fetched', version: 3, reason });
    expect(effects).toEqual([3]);
    expect(said.filter((line) => line.includes(`(${reason}). `))).toHaveLength(1);

    server.at.answer = null;
    await nextLook();
    expect(policy.state()).toMatchObject({ version: 3, age_s: expect.any(Number), reason: null });
    expect(said.at(-1)).toBe('policy: the trouble is over');
  });

  it.each<[string, FileAnswer]>([
    ['unreachable', { error: 'unreachable', message: `\u001b[2Jno${'x'.repeat(10_000)}\nccp: all is well` }],
    [
      'encoded',
      { status: 200, etag: null, encoding: `a\u009b"${'x'.repeat(10_000)}`, body: Buffer.alloc(0) },
    ],
  ])('with %s lets a server neither command the terminal nor fill the log', async (reason, answer) => {
    server.at.answer = answer;
    const { said } = await follow();
    const line = said.find((text) => text.includes(`(${reason}). `)) ?? '';
    expect(line).toMatch(/^[^\p{C}]{1,600}$/u);
    expect(line).toMatch(reason === 'encoded' ? /content-encoding "a\?\?x{10}/ : /fetched: "\?\[2Jnox{10}/);
  });

  it('is followed by another soon, later and later up to the interval', async () => {
    server.at.answer = { error: 'unreachable', message: 'refused' };
    await follow();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      waits.push(clock.next());
      clock.pass(clock.next());
      await looked();
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 300, 300].map((seconds) => seconds * 1000));
  });

  it('says that the signature is not there, rather than that it is wrong', async () => {
    server.publish({ version: 3 });
    const missing: FileAnswer = { status: 404, etag: null, encoding: null, body: Buffer.alloc(0) };
    const get: GetFile = async (request) =>
      request.url.pathname.endsWith('.sig') ? missing : server.get(request);
    expect((await follow({}, { get })).policy.state()).toMatchObject({
      source: 'embedded',
      reason: 'unsigned',
    });
  });
});

describe('a pack that does not count', () => {
  const refused = async (
    reason: string,
    publish: () => void,
    options?: Partial<PolicyOptions>,
  ): Promise<string> => {
    server.publish({ version: 3 });
    const world = await follow({}, options);
    publish();
    await nextLook();
    expect(world.policy.state()).toMatchObject({ source: 'fetched', version: 3, reason });
    expect(world.effects).toEqual([3]);
    // Nor is it kept: the next start begins with what counted.
    expect(JSON.parse(cache().policy)).toMatchObject({ version: 3 });
    return world.said.join('\n');
  };

  it('is one with a signature of other bytes', () =>
    refused('bad_signature', () => {
      server.publish({ version: 4 });
      server.at.pack = packText({ version: 5 });
    }));

  it('is one of another key', () =>
    refused('bad_signature', () => server.publish({ version: 4 }, createSigner())));

  it('is one whose signature is none', () =>
    refused('bad_signature_text', () => {
      server.publish({ version: 4 });
      server.at.signature = '<html>';
    }));

  it('is one that says what no pack may say', () =>
    refused('malformed', () => server.publish({ version: 4, upstreams: { anth: 'https://thief.example' } })));

  it('is one that has expired', () =>
    refused('expired', () => server.publish({ version: 4, expires_at: '2030-02-01T00:00:00Z' })));

  it('is one whose time is to come', () =>
    refused('not_yet_valid', () => server.publish({ version: 4, issued_at: '2030-07-02T00:00:00Z' })));

  it('is one of a lower version, though newly signed', () =>
    refused('rolled_back', () => server.publish({ version: 2, issued_at: '2030-06-01T00:00:00Z' })));

  it('is one of a higher version that was issued before it', async () => {
    const said = await refused('rolled_back', () =>
      server.publish({ version: 9, issued_at: '2029-12-31T23:59:59Z' }),
    );
    expect(said).toContain(
      'the pack of version 9 was issued at 2029-12-31T23:59:59.000Z, before version 3, which was taken over before',
    );
    server.publish({ version: 9, issued_at: '2030-01-01T00:00:00Z' });
    const { effects } = await follow();
    expect(effects).toContain(9);
  });

  it('is another one of the same version, older or newer', async () => {
    await refused('version_reused', () => server.publish({ version: 3, routes: {} }));
    await refused('version_reused', () => server.publish({ version: 3, issued_at: '2029-01-01T00:00:00Z' }));
    await refused('version_reused', () => server.publish({ version: 3, issued_at: '2030-06-01T00:00:00Z' }));
  });

  it('is one that points a provider at ourselves', () =>
    refused(
      'own_listener',
      () => server.publish({ version: 4, upstreams: { zai: 'http://127.0.0.1:8082/x' } }),
      {
        leadsToUs: async (origin) => origin === 'http://127.0.0.1:8082',
      },
    ));
});

describe('rolling back', () => {
  it('is refused across restarts, from the cache', async () => {
    server.publish({ version: 3 });
    await follow();
    server.publish({ version: 2 });
    const { policy, effects } = await follow();
    expect(effects).toEqual([3]);
    expect(policy.state()).toMatchObject({ source: 'cache', version: 3, reason: 'rolled_back' });
  });

  it('is refused even where the cached pack has expired', async () => {
    server.publish({ version: 3, expires_at: '2030-07-02T00:00:00Z' });
    await follow();
    clock.pass(2 * DAY_MS);
    server.publish({ version: 2 });
    const { policy, effects } = await follow();
    expect(effects).toEqual([]);
    expect(policy.state()).toEqual({ source: 'embedded', version: null, age_s: null, reason: 'rolled_back' });
  });

  it('to what was there before works by a higher version', async () => {
    server.publish({ version: 3 });
    const { effects } = await follow();
    server.publish({ version: 5, issued_at: '2030-06-01T00:00:00Z' });
    await nextLook();
    expect(effects).toEqual([3, 5]);
  });
});

describe('expiry', () => {
  it('ends a pack while the proxy runs, though no server answers', async () => {
    server.publish({ version: 3, expires_at: '2030-07-01T06:00:00Z' });
    const { policy, effects, said } = await follow();
    server.at.answer = { error: 'unreachable', message: 'gone' };
    clock.pass(6 * 3_600_000 - 1);
    expect(effects).toEqual([3]);
    clock.pass(1);
    expect(effects).toEqual([3, null]);
    expect(policy.state()).toMatchObject({ source: 'embedded', version: null });
    expect(said.filter((line) => line.startsWith('[policy] source=embedded'))).toHaveLength(2);
  });

  it('strikes within a minute of a wake-up, however late the timers are', async () => {
    server.publish({ version: 3, expires_at: '2030-07-01T06:00:00Z' });
    const { effects } = await follow();
    clock.set(MID_2030 + DAY_MS);
    clock.pass(60_000);
    expect(effects).toEqual([3, null]);
  });

  it('is not undone by a clock that is put back', async () => {
    server.publish({ version: 3, expires_at: '2030-07-01T06:00:00Z' });
    server.at.etag = '"v3"';
    const { policy, effects } = await follow();
    clock.pass(DAY_MS);
    await looked();
    clock.set(MID_2030);
    await nextLook();
    await nextLook();
    expect(effects).toEqual([3, null]);
    expect(policy.state()).toMatchObject({ source: 'embedded', reason: 'expired' });
  });

  it('makes the cache of no use at a start', async () => {
    server.publish({ version: 3, expires_at: '2030-07-02T00:00:00Z' });
    await follow();
    clock.pass(2 * DAY_MS);
    const { policy, effects, said } = start();
    await policy.load();
    expect([effects, policy.state().reason]).toEqual([[], 'expired']);
    expect(said).toEqual(['[policy] source=embedded reason=expired']);
  });

  it('gives way to a new pack', async () => {
    server.publish({ version: 3, expires_at: '2030-07-02T00:00:00Z' });
    const { effects } = await follow();
    clock.pass(2 * DAY_MS);
    await looked();
    server.publish({ version: 4 });
    await nextLook();
    expect(effects).toEqual([3, null, 4]);
  });
});

describe('the cache', () => {
  const tamper = (edit: (text: string) => string): void => {
    const path = join(folder, 'policy-cache.json');
    writeFileSync(path, edit(readFileSync(path, 'utf8')));
  };
  const afterTampering = async (edit: (text: string) => string, source?: Partial<PolicySource>) => {
    server.publish({ version: 3 });
    await follow();
    tamper(edit);
    const { policy, effects, said } = start(source);
    await policy.load();
    expect([effects, policy.state().source]).toEqual([[], 'embedded']);
    expect(said[0]).toContain(policy.state().reason);
    return policy.state().reason;
  };

  it.each<[string, string, (text: string) => string]>([
    ['a changed route', 'bad_signature', (text) => text.replace('*haiku*', '*sonnet*')],
    ['a changed upstream', 'bad_signature', (text) => text.replace('zai.example', 'thief.example')],
    ['another version', 'bad_signature', (text) => text.replace('\\"version\\": 3', '\\"version\\": 9')],
    ['a signature cut short', 'bad_signature_text', (text) => text.replace('==', '')],
    ['half a file', 'cache_unreadable', (text) => text.slice(0, text.length / 2)],
    ['nothing in it', 'cache_unreadable', () => ''],
    ['something else', 'cache_unreadable', () => '[]'],
    ['another address', 'cache_foreign', (text) => text.replace('ops.example', 'other.example')],
  ])('with %s does not count', async (_, reason, edit) => {
    expect(await afterTampering(edit)).toBe(reason);
  });

  it('does not count for another address or key, and the next pack takes its place', async () => {
    const unchanged = (text: string): string => text;
    expect(await afterTampering(unchanged, { url: new URL('https://ops.example/other.json') })).toBe(
      'cache_foreign',
    );
    const other = createSigner();
    expect(await afterTampering(unchanged, { publicKey: other.publicKey })).toBe('bad_signature');
    // A new key begins a new series: version 1 is no step back.
    server.publish({ version: 1 }, other);
    expect((await follow({ publicKey: other.publicKey })).effects).toEqual([1]);
  });

  it('that cannot be read or written stops nothing', async () => {
    server.publish({ version: 3 });
    const read = (): never => {
      throw new Error('EACCES');
    };
    writeFileSync(join(folder, 'file'), '');
    const { policy, effects, said } = await follow({ read, path: join(folder, 'file', 'policy-cache.json') });
    expect([effects, policy.state().reason]).toEqual([[3], null]);
    expect(said.join('\n')).toContain('EACCES (cache_unreadable)');
    expect(said.join('\n')).toContain('could not be written');
  });

  it('is not read where an upstream of it has become our own listener', async () => {
    server.publish({ version: 3 });
    await follow();
    const { policy, effects } = start({}, { leadsToUs: async () => true });
    await policy.load();
    expect([effects, policy.state().reason]).toEqual([[], 'own_listener']);
  });
});

it('does nothing more once it is disposed of, whatever a look under way brings', async () => {
  server.publish({ version: 3 });
  const gate = Promise.withResolvers<void>();
  const { policy, effects } = start(
    {},
    {
      get: async (request) => {
        await gate.promise;
        return server.get(request);
      },
    },
  );
  await policy.load();
  policy.follow();
  await policy[Symbol.asyncDispose]();
  gate.resolve();
  await looked();
  expect(effects).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
  expect(clock.next()).toBe(Number.POSITIVE_INFINITY);
});
