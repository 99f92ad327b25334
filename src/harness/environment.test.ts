import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { childEnvironment, makeHome } from './environment.ts';

const home = { home: '/h', tmp: '/h/tmp', work: '/h/work' };

describe('the environment of a child', () => {
  it('has of the caller only what is on the list', () => {
    const caller = {
      PATH: '/bin',
      TZ: 'UTC',
      HOME: '/of/the/caller',
      XDG_CONFIG_HOME: '/of/the/caller/.config',
      ANTHROPIC_API_KEY: 'secret',
      ANTHROPIC_BASE_URL: 'http://elsewhere',
      ZAI_API_KEY: 'secret',
      OTHER_API_KEY: 'secret',
      HTTPS_PROXY: 'http://elsewhere',
      https_proxy: 'http://elsewhere',
      NODE_OPTIONS: '--inspect',
      CCP_PORT: '1',
    };
    const env = childEnvironment({ home, caller });
    expect(env).toMatchObject({
      PATH: '/bin',
      TZ: 'UTC',
      HOME: '/h',
      TMPDIR: '/h/tmp',
      XDG_CONFIG_HOME: '/h/.config',
    });
    expect(Object.keys(env).filter((name) => /ANTHROPIC|KEY|PROXY|NODE|CCP/i.test(name))).toEqual([]);
    expect(Object.values(env).join()).not.toMatch(/secret|elsewhere|of.the.caller/);
  });

  it('lets what it is given win', () => {
    expect(childEnvironment({ home, extra: { TERM: 'xterm', A: 'b' }, caller: {} })).toMatchObject({
      TERM: 'xterm',
      A: 'b',
    });
  });
});

it('makes a home that nobody else can read', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'home-'));
  const made = await makeHome(path.join(root, 'deep', 'home'));
  for (const folder of Object.values(made)) expect((await stat(folder)).mode & 0o077).toBe(0);
  await rm(root, { recursive: true });
});
