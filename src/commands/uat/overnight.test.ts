import { describe, expect, it } from 'vitest';
import { createTestHost } from '../shared/testing/test-host.ts';
import { main } from './main.ts';

async function uat(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  using host = createTestHost();
  const code = await main(argv, host);
  return { code, ...host.said() };
}

describe('ccp-uat overnight', () => {
  it('says what a night will be', async () => {
    const { code, out } = await uat('overnight', '--max-minutes', '480', '--chaos', '--dry-run');
    expect(code).toBe(0);
    expect(out).toContain(
      '\nrounds of 200 probes (raw, 4 at once), faults and kills among them, for 480 minutes; the first red one ends it\n',
    );
    expect(out).toContain('NIGHT-08');
  });

  it.each([
    ['--until-green', 'the first wholly green one ends it, those before may be red'],
    ['--soak', 'a red one does not end it'],
  ])('says what will end one with %s', async (flag, words) => {
    expect((await uat('overnight', flag, '--dry-run')).out).toContain(`, for 30 minutes; ${words}\n`);
  });

  it('plans what was asked for, and the command that repeats it', async () => {
    const { out } = await uat('overnight', '--soak', '--sleep-between', '0.5', '--dry-run', '--json');
    const plan: unknown = JSON.parse(out);
    expect(plan).toMatchObject({ driver: { until: 'time', pauseMs: 500, chaos: false } });
  });

  it('claims nothing of a night that may have been red', async () => {
    const claims = async (...flags: string[]): Promise<unknown> =>
      JSON.parse((await uat('overnight', ...flags, '--dry-run', '--json')).out);
    expect(await claims('--until-green')).toMatchObject({ proves: [] });
    expect(await claims()).toMatchObject({ proves: [expect.any(String), expect.any(String)] });
  });

  it.each([
    [['--max-minutes', '0'], 'It is no number of minutes'],
    [['--sleep-between', '-1'], 'It is no number of seconds'],
    [['--until-green', '--soak'], 'cannot be used with option'],
    [['--target', 'http://127.0.0.1:1'], 'a night restarts the proxy'],
    [['--chaos', '--upstream', 'real'], '--chaos needs mocks'],
    [['--upstream', 'real', '--max-requests', '501'], 'more than 500 requests'],
    [['--upstream', 'real'], 'ALLOW_REAL_API=1'],
    [['--resume', '--seed', 'x'], '--seed was decided when the night began'],
    [['--resume', '--run-dir', 'x'], '--run-dir names another'],
    [['--resume', '--upstream', 'mock'], '--upstream was decided when the night began'],
    [['--resume', '--keep-going'], '--keep-going was decided when the night began'],
    [['--resume', '--allow-inconclusive', '--dry-run'], '--allow-inconclusive was decided'],
    [['--resume', '--repeat-each', '3'], '--repeat-each was decided'],
    [['--resume', '--dry-run', '--json', '--yes'], 'no run overnight is stored'],
    [['--resume'], 'no run overnight is stored'],
  ])('refuses %j', async (argv, why) => {
    const { code, err } = await uat('overnight', ...argv);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(why) });
  });

  it('is no part of "run" without names: nobody wants a night by accident', async () => {
    const { out } = await uat('run', '--dry-run');
    expect(out).toContain('soak-persist:');
    expect(out).not.toContain('overnight:');
  });
});

describe('ccp-uat parallel', () => {
  it('has as many clients as it is told', async () => {
    const { out } = await uat('parallel', '7', '--client', 'curl', '--dry-run');
    expect(out).toContain('\n1 round of 7 probes (raw, 7 at once)\n');
  });

  it('refuses what is no number of clients', async () => {
    expect(await uat('parallel', 'many')).toMatchObject({ code: 2 });
  });

  it('refuses one client, who has nobody to work beside', async () => {
    const { code, err } = await uat('parallel', '1', '--dry-run');
    expect({ code, err }).toEqual({
      code: 2,
      err: expect.stringContaining('one client alone is "ccp-uat longrun"'),
    });
  });
});

it('ccp-uat longrun alternates the models of one client', async () => {
  const planned = async (...flags: string[]): Promise<string> =>
    (await uat('longrun', ...flags, '--client', 'curl', '--dry-run')).out;
  const [each, ends] = ['rounds of 4 probes (raw, 1 at once), ', '; a red one does not end it\n'];
  expect(await planned('--rounds', '3')).toContain(`\n3 ${each}none begun after 15 minutes${ends}`);
  expect(await planned('--minutes', '3')).toContain(`\n${each}for 3 minutes${ends}`);
});
