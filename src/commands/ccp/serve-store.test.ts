/** Which store a proxy uses, as it says itself and as the commands beside it say. */
import { mkdirSync, symlinkSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestHost, type TestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';
import { type HttpUpstream, type Served, startHttpUpstream, startServed, until } from './testing/served.ts';

let host: TestHost;
let world: AsyncDisposableStack;
let upstream: HttpUpstream;
/** How often anybody asked it anything, a probe included. */
let asked: number;

beforeEach(async () => {
  host = createTestHost();
  world = new AsyncDisposableStack();
  world.defer(() => host[Symbol.dispose]());
  asked = 0;
  const answer = (response: ServerResponse): void => {
    asked += 1;
    response.end();
  };
  upstream = world.use(await startHttpUpstream(answer));
});
afterEach(() => world.disposeAsync());

/** A proxy on a store of that name in the working directory; the commands find the proxy, and look at the usual store. */
async function served(store: string, env: Record<string, string> = {}): Promise<Served> {
  const { cwd, home } = host;
  const upstreams = { CCP_ANTHROPIC_BASE_URL: upstream.url, CCP_ZAI_BASE_URL: upstream.url };
  const options = { cwd, home, env: { ...upstreams, CCP_DB_PATH: store, ...env } };
  const proxy = world.use(await startServed(options));
  // On a busy machine it listens before the store is open.
  await until('it has told of the store', () => /ccp: .*store .+\n/.test(proxy.stderr()));
  Object.assign(host.env, upstreams, { CCP_PORT: new URL(proxy.url).port });
  return proxy;
}

async function stop(proxy: Served): Promise<string> {
  proxy.signal('SIGTERM');
  await proxy.exited;
  return proxy.stderr();
}

const path = (name: string): string => join(host.cwd, name);

describe('a start', () => {
  it('says that a store was begun, with the folders on its way, and later which one it is', async () => {
    const first = await stop(await served('missing/folder/x.sqlite3'));
    expect(first).toContain(`ccp: a new store was begun at ${path('missing/folder/x.sqlite3')}\n`);
    const second = await stop(await served('missing/folder/x.sqlite3'));
    expect(second).toContain(`ccp: the store is ${path('missing/folder/x.sqlite3')}\n`);
    expect(second).not.toContain('begun');
  });

  it('says that there is none where it is switched off', async () => {
    expect(await stop(await served('x', { CCP_PERSIST: '0' }))).toContain(
      'there is no store (CCP_PERSIST=0)',
    );
  });

  it('tells in one line that the store cannot be used', async () => {
    mkdirSync(path('a-folder'));
    host.write('q.json', '{"quotas": [{"model": "*", "lane": "zai", "rolling": {"requests": 9}}]}');
    const said = await stop(await served('a-folder', { CCP_QUOTAS_FILE: 'q.json' }));
    expect(said.match(/a-folder|quota windows/g)).toHaveLength(1);
    expect(said).toMatch(/ccp: warning: the store keeps nothing for now, .+ is a folder, .+CCP_DB_PATH/);
  });
});

describe('beside a proxy', () => {
  const doctor = async () => {
    const code = await main(['doctor', '--json'], host);
    const { findings } = JSON.parse(host.said().out);
    return {
      code,
      found: findings.filter(({ what }: { what: string }) => what.includes('the running proxy')),
    };
  };
  const dbStatus = async () => ({ code: await main(['db', 'status'], host), ...host.said() });
  /** Asked again where a busy machine kept the proxy from answering in time. */
  const dbStatusSays = (code: number, err: RegExp): Promise<void> =>
    vi.waitFor(
      async () => expect(await dbStatus()).toMatchObject({ code, err: expect.stringMatching(err) }),
      10_000,
    );

  it('with another store, doctor and db status name both paths, and what to do', async () => {
    await served('other.sqlite3');
    const both = `${path('other.sqlite3')} there, ${path('logs/ccp.sqlite3')} here`;
    const what = `the running proxy uses another store than this shell: ${both}`;
    const remedy = expect.stringContaining('Set CCP_DB_PATH');
    expect(await doctor()).toEqual({ code: 0, found: [{ level: 'note', what, remedy }] });
    await dbStatusSays(3, /^ccp: warning: the running proxy uses another .*\nccp: error: there is no /);
    host.env['CCP_PERSIST'] = '0';
    expect((await doctor()).found).toMatchObject([
      { what: expect.stringMatching(/other\.sqlite3 there, none \(CCP_PERSIST=0\) here$/) },
    ]);
  });

  it('with the same store, by whatever path, they say nothing', async () => {
    const proxy = await served('real/x.sqlite3');
    symlinkSync(path('real'), path('link'));
    for (const same of [path('real/x.sqlite3'), 'real/x.sqlite3', 'link/../link/x.sqlite3']) {
      host.env['CCP_DB_PATH'] = same;
      expect(await doctor()).toMatchObject({ found: [] });
      expect(await dbStatus()).toMatchObject({ code: 0, err: '' });
    }
    await stop(proxy);
    expect(await dbStatus()).toMatchObject({ code: 0, err: '' });
  });

  it('whose store is in trouble, they say so, with the remedy', async () => {
    mkdirSync(path('a-folder'));
    await served('a-folder');
    const trouble = `the store of the running proxy is in trouble: ${path('a-folder')} is a folder`;
    const what = expect.stringContaining(trouble);
    const remedy = expect.stringContaining('CCP_DB_PATH');
    expect(await doctor()).toMatchObject({
      code: 1,
      found: [{ level: 'note' }, { level: 'problem', what, remedy }],
    });
    await dbStatusSays(3, new RegExp(`ccp: warning: ${trouble}`));
  });

  it('db status has it ask no upstream', async () => {
    await served('other.sqlite3');
    await dbStatusSays(3, /the running proxy uses another store/);
    expect(asked).toBe(0);
    await doctor();
    expect(asked).toBeGreaterThan(0);
  });

  it('in a trouble that is not seen from here, with the same store, doctor says so', async () => {
    const proxy = await served('x.sqlite3');
    host.env['CCP_DB_PATH'] = 'x.sqlite3';
    const other = new Database(path('x.sqlite3'));
    world.defer(() => void other.close());
    other.exec('BEGIN IMMEDIATE');
    await fetch(`${proxy.url}/v1/models`);
    const what = expect.stringMatching(/store of the running proxy is in trouble: .* is locked/);
    await vi.waitFor(
      async () => expect(await doctor()).toMatchObject({ code: 1, found: [{ level: 'problem', what }] }),
      { timeout: 15_000, interval: 500 },
    );
  });

  it('in the trouble that they find themselves, they say it once', async () => {
    mkdirSync(path('a-folder'));
    host.env['CCP_DB_PATH'] = 'a-folder';
    await served('a-folder');
    expect(await main(['doctor', '--json'], host)).toBe(1);
    expect(host.said().out.match(/is a folder/g)).toHaveLength(1);
    expect(await dbStatus()).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^ccp: error: .* is a folder.*\n.*\n$/),
    });
  });
});
