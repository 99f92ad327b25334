import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeHome } from './environment.ts';
import { listen } from './ports.ts';
import { startTarget, TargetEnded, type TargetOptions } from './target.ts';
import type { TargetSpec } from './types/target.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'target-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function optionsFor(
  spec: TargetSpec,
  settings: TargetOptions['settings'] = {},
): Promise<TargetOptions> {
  const home = await makeHome(path.join(folder, 'home'));
  return { spec, home, logsDir: path.join(folder, 'logs'), settings, readyTimeoutMs: 10_000 };
}

/** A program that answers every request with its environment. */
async function mirror(): Promise<string> {
  const file = path.join(folder, 'mirror.mjs');
  await writeFile(
    file,
    `import http from 'node:http';
     console.log('mirror is up');
     http.createServer((q, r) => { r.setHeader('x-path', q.url); r.end(JSON.stringify(process.env)); }).listen(Number(process.argv[2]), '127.0.0.1');`,
  );
  return `${process.execPath} ${file}`;
}

describe('the built-in target', () => {
  it('serves from folders of its own, runs its commands in the same surroundings, and stops with 0', async () => {
    const options = await optionsFor(
      { kind: 'builtin' },
      {
        CCP_ANTHROPIC_BASE_URL: 'http://127.0.0.1:1',
        CCP_ZAI_BASE_URL: 'http://127.0.0.1:1',
        ZAI_API_KEY: 'made-up',
      },
    );
    await using target = await startTarget(options);
    expect(target).toMatchObject({ kind: 'builtin', logsDir: path.join(folder, 'logs') });
    expect((await target.get('/healthz')).status).toBe(200);
    const providers = await target.ccp(['providers', '--json']);
    expect(providers).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('http://127.0.0.1:1') });
    expect(await target.ccp(['log', 'rotate'])).toMatchObject({ exitCode: 0 });
    expect(await target.stop()).toEqual({ exitCode: 0 });
  });

  it('is not ready where its configuration is refused, and says what it printed', async () => {
    const options = await optionsFor({ kind: 'builtin' }, { CCP_SSE_IDLE_TIMEOUT: 'soon' });
    await expect(startTarget(options)).rejects.toMatchObject({
      code: 'NOT_READY',
      message: expect.stringMatching(/exit code 2[^]*CCP_SSE_IDLE_TIMEOUT/),
    });
  });
});

describe('a command line', () => {
  it('gets the port, the settings and nothing of the caller', async () => {
    process.env['TARGET_TEST_API_KEY'] = 'of the caller';
    const options = await optionsFor({ kind: 'cmd', command: `${await mirror()} {port}` }, { CCP_X: 'set' });
    await using target = await startTarget(options);
    delete process.env['TARGET_TEST_API_KEY'];
    const { body, headers } = await target.get('/any?q=1');
    expect(headers['x-path']).toBe('/any?q=1');
    expect(JSON.parse(body)).toMatchObject({
      CCP_X: 'set',
      CCP_LOGS_DIR: path.join(folder, 'logs'),
      HOME: path.join(folder, 'home'),
    });
    expect(body).not.toContain('of the caller');
    expect(target.output()).toContain('mirror is up');
    expect(await target.ccp(['providers'])).toBeNull();
  });

  it('ends in its own time when it is asked to, and by its own exit code', async () => {
    const file = path.join(folder, 'orderly.mjs');
    await writeFile(
      file,
      `import http from 'node:http';
       http.createServer((q, r) => r.end()).listen(Number(process.argv[2]), '127.0.0.1');
       process.on('SIGTERM', () => setTimeout(() => process.exit(4), 200));`,
    );
    const command = `cd ${folder} && ${process.execPath} orderly.mjs {port}`;
    await using target = await startTarget(await optionsFor({ kind: 'cmd', command }));
    expect(await target.stop()).toEqual({ exitCode: 4 });
  });

  it('is ended with everything that it started', async () => {
    const program = await mirror();
    const command = `${program} {port} & echo $! > ${folder}/child; wait`;
    const target = await startTarget(await optionsFor({ kind: 'cmd', command }));
    const child = Number(await readFile(path.join(folder, 'child'), 'utf8'));
    await target[Symbol.asyncDispose]();
    await expect(target.get('/')).rejects.toThrow('ECONNREFUSED');
    await expect(access(`/proc/${child}/fd/0`)).rejects.toThrow();
  });

  it('is not ready where it ends at once', async () => {
    const options = await optionsFor({ kind: 'cmd', command: 'echo broken >&2; exit 7' });
    const failure = startTarget(options);
    await expect(failure).rejects.toBeInstanceOf(TargetEnded);
    await expect(failure).rejects.toMatchObject({
      code: 'NOT_READY',
      message: expect.stringMatching(/exit code 7[^]*broken/),
    });
  });

  it('is not ready, and not left behind, where it stays silent', async () => {
    const options = await optionsFor({ kind: 'cmd', command: 'sleep 30' });
    await expect(startTarget({ ...options, readyTimeoutMs: 200 })).rejects.toThrow('not ready in 200 ms');
  });
});

describe('a URL', () => {
  it('is used as it is and left as it was', async () => {
    const server = http.createServer((request, response) => response.end(request.url));
    const url = `http://127.0.0.1:${await listen(server)}`;
    const target = await startTarget(await optionsFor({ kind: 'url', url: `${url}/` }));
    expect(target).toMatchObject({ url, pid: null, logsDir: null, usageLogPath: null });
    expect((await target.get('/readyz')).body).toBe('/readyz');
    await target[Symbol.asyncDispose]();
    expect((await target.get('/')).status).toBe(200);
    server.close();
  });

  it('is not ready where nobody answers', async () => {
    const options = await optionsFor({ kind: 'url', url: 'http://127.0.0.1:1' });
    await expect(startTarget({ ...options, readyTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'NOT_READY',
    });
  });
});
