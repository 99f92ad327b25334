import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { choose, runSteps, type Step } from './check.ts';

const step = (name: string, script: string, rest: Partial<Step> = {}): Step => ({
  name,
  command: ['node', '-e', script],
  ...rest,
});

async function run(steps: readonly Step[]): Promise<{ passed: boolean; told: string }> {
  let told = '';
  const passed = await runSteps(steps, tmpdir(), (text) => {
    told += text;
  });
  return { passed, told };
}

describe('running the steps', () => {
  it('passes when every step does, and keeps quiet about what they said', async () => {
    const { passed, told } = await run([step('one', 'console.log("noise")'), step('two', '')]);
    expect(passed).toBe(true);
    expect(told).toMatch(/^ok +one +[\d.]+ s$/m);
    expect(told).not.toContain('noise');
  });

  it('fails when one step does, shows all it said, and runs the others', async () => {
    const { passed, told } = await run([
      step('bad', 'console.log("the reason"); console.error("and more"); process.exit(3)'),
      step('good', ''),
      step('last', '', { alone: true }),
    ]);
    expect(passed).toBe(false);
    expect(told).toMatch(/^FAILED +bad/m);
    expect(told).toContain('the reason');
    expect(told).toContain('and more');
    expect(told).toMatch(/^ok +good/m);
    expect(told).toMatch(/^ok +last/m);
  });

  it('fails when a program is missing or killed', async () => {
    expect((await run([{ name: 'gone', command: ['no-such-program-here'] }])).passed).toBe(false);
    expect((await run([step('killed', 'process.kill(process.pid, "SIGKILL")')])).passed).toBe(false);
  });

  it('shows the closing lines of a step that has some', async () => {
    const { told } = await run([
      step('tests', 'console.log("a\\nb")', { closing: (output) => output.slice(-2) }),
    ]);
    expect(told).toMatch(/tests.*\nb\n/);
  });
});

describe('choosing steps', () => {
  const steps = [step('lint', ''), step('tests', '')];

  it('takes all, only some, or all but some', () => {
    expect(choose(steps, [])).toEqual(steps);
    expect(choose(steps, ['--only', 'lint'])).toEqual([steps[0]]);
    expect(choose(steps, ['--skip', 'lint'])).toEqual([steps[1]]);
  });

  it('refuses a name that it does not know, and an empty choice: nothing checked is not a pass', () => {
    expect(choose(steps, ['--only', 'lints'])).toContain('lints');
    expect(choose(steps, ['--skip', 'lint,tests'])).toContain('no step is left');
  });
});
