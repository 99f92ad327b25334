import { expect, it } from 'vitest';
import { greenNight } from '../../../analysis/testing/green-night.ts';
import { greenRun } from '../../../analysis/testing/green-run.ts';
import { nightSection } from './night.ts';
import { redactionsSection } from './redactions.ts';
import { footer } from './report-page.ts';

const rendered = (alter?: Parameters<typeof greenNight>[0]): string =>
  String(nightSection(greenNight(alter)));

it('a night has a row for each round, with what was played and who died', () => {
  const text = rendered();
  const [table = ''] = text.match(/<caption>What each round came to.*?<\/table>/s) ?? [];
  expect(table.match(/<tr><th scope="row"/g)).toHaveLength(6);
  expect(text).toContain('6 rounds, 0 of them red');
  expect(text).toContain('truncated × 1');
  expect(text).toContain('killed by the plan, back after 900 ms');
});

it('a red round says what was wrong, as text, and links to its evidence', () => {
  const text = rendered((night) => {
    const [first] = night.rounds;
    if (first === undefined) throw new Error('there are six rounds');
    const red = [{ id: 'BYTES-01', outcome: 'fail', what: '<b>a byte</b> differs' }];
    Object.assign(first, { kept: 'rounds/leg-0001', deaths: [{ at: 1, cause: 'itself', backMs: null }] });
    Object.assign(first.verdict, { outcome: 'fail', red });
  });
  expect(text).toContain('BYTES-01 is fail: &lt;b&gt;a byte&lt;/b&gt; differs');
  expect(text).toContain('<a href="./rounds/leg-0001/">');
  expect(text).toContain('of itself, not back');
});

it('what the proxy took and how fast it answered is drawn, marked and told, with slope and bound', () => {
  const text = rendered((night) => {
    const [, second] = night.rounds;
    if (second !== undefined) second.deaths = [{ at: second.startedAt, cause: 'itself', backMs: 10 }];
  });
  const plots = [...text.matchAll(/<svg class="plot".*?<\/svg>/gs)].map(([plot]) => plot);
  expect(plots.map((plot) => /aria-label="([^.]*?) over/.exec(plot)?.[1])).toEqual([
    'Memory in MB',
    'Open files',
    'Sockets',
    'Plain answers in ms',
  ]);
  const [memory = '', , , answers = ''] = plots;
  const marks = (plot: string) =>
    Object.fromEntries(
      ['reading"', 'dots"', 'start"', 'chaos" d="M[^"]*m', 'itself" d="M[^"]*m', 'faults"', 'shade"'].map(
        (name) => [name.slice(0, name.indexOf('"')), plot.match(new RegExp(name, 'g'))?.length ?? 0],
      ),
    );
  // Two worlds with a process each; three rounds over HTTP/1.1.
  expect(marks(memory)).toEqual({ reading: 2, dots: 0, start: 1, chaos: 1, itself: 1, faults: 6, shade: 3 });
  expect(marks(answers)).toMatchObject({ reading: 0, dots: 6 });
  expect(text).toMatch(
    /Slope [-\d.]+ MB a minute: [-\d.]+ \(95 %: [-\d.]+ to [-\d.]+\) in a life of [\d.]+ min; bound 11\.8\./,
  );
  expect(text).toMatch(
    /<th scope="row" class="figure">6<\/th><td class="figure">5\.0 min<\/td><td class="figure">16\d MB/,
  );
});

it('a process that was started amid a round is drawn from when it was back', () => {
  const text = rendered((night) => {
    const round = night.rounds[5];
    if (round?.readings == null) throw new Error('there are six rounds');
    round.readings = [...round.readings, { life: '2.2', at: 0, rssMb: 99, files: 1, sockets: 1 }];
  });
  // One dot, of a life that begins after the death at five and a half of six minutes.
  const x = Number(/class="line reading dots" d="M([\d.]+) /.exec(text)?.[1]);
  expect((x - 46) / (426 - 46)).toBeCloseTo((5.5 * 60 + 0.9) / 360, 2);
});

it('a night of which nothing was read draws nothing', () => {
  const text = rendered((night) => {
    for (const round of night.rounds) Object.assign(round, { readings: null, answers: [] });
  });
  expect(text).not.toContain('<figure>');
});

it('a long night shows every red round and leaves green ones out, and says so', () => {
  const text = rendered((night) => {
    night.rounds = Array.from({ length: 500 }, (_, at) => ({
      ...structuredClone(greenNight().rounds[0] ?? expect.fail()),
      round: at + 1,
    }));
    Object.assign(night.rounds[499]?.verdict ?? {}, { outcome: 'fail' });
  });
  expect(text).toContain('100 green rounds more');
  expect(text).toContain('>500</th>');
});

it('of a night, whose exchanges are gone, nobody is told that no credential was in them, nor to look where nothing is', () => {
  const night = greenNight(({ rounds }) => {
    for (const round of rounds.slice(0, 3)) round.kept = 'rounds/leg-0001';
  });
  const evidence = { ...greenRun(), client: [], upstream: [], artifacts: [], night };
  const redacted = String(redactionsSection(evidence));
  expect(redacted).toContain('How often cannot be said of a night.');
  expect(redacted).toContain('but for those in <code>rounds/leg-0001</code>, whose');
  expect(redacted).not.toMatch(/No credential was seen anywhere|seen nowhere/);
  expect(String(footer(evidence))).toContain('lie in <code>rounds/leg-0001</code>, each');
  expect(String(footer(evidence))).not.toContain('witness/');
  const green = { ...evidence, night: greenNight() };
  expect(String(footer(green))).toContain('No round was kept whole.');
  expect(String(footer(greenRun()))).toContain('witness/');
});
