/** What can go wrong with the licence: what it opens, what it bars, and what is said of it. */
import type { LicenseKind } from '../../protocol/witness.ts';
import type { ProxyRecords, RecordedLife, Saboteur } from '../types/saboteur.ts';
import { onLines, record, withHeader } from './edits.ts';
import { preload } from './preload.ts';

type LicenseFault = Saboteur['faults'][number];

/** The suite that restarts the proxy with one licence after the other. */
const during = (...stages: readonly [string, ...string[]]) => ({ suite: 'smoke-license', stages }) as const;

/** The target finds this, whatever it was to find. */
const found = (kind: LicenseKind): LicenseFault => ({
  layer: 'settings',
  // What else would be found, and found first: an empty value counts as not set.
  settings: ({ licenses }) => ({ CC_LICENSE_JSON: '', CC_LICENSE_PACK: '', ...licenses.settings(kind) }),
});

const onLives = (
  alter: (life: RecordedLife, lives: readonly RecordedLife[]) => RecordedLife,
): LicenseFault => ({
  layer: 'records',
  alter: (told) => ({ ...told, lives: told.lives.map((life) => alter(life, told.lives)) }),
});

const DAY_MS = 86_400_000;

/** As of a proxy that ignores the clock: the time in its start-up line is over. */
const longExpired = onLives((life) => ({
  ...life,
  output: life.output.replaceAll(/(?<=\bexpires=)\S+/g, (time) =>
    new Date(Date.parse(time) - 2 * DAY_MS).toISOString(),
  ),
}));

const onAnswers = (
  alter: (answers: RecordedLife['answers']) => Partial<RecordedLife['answers']>,
): LicenseFault => onLives((life) => ({ ...life, answers: { ...life.answers, ...alter(life.answers) } }));

/** Rewrites the decision of some requests, and more, in the decision line and in the completion. */
function onDecisions(
  alter: (line: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
): LicenseFault {
  const both = (['decision', 'completion'] as const).map((event) =>
    onLines(event, (line) => ({ ...line, ...alter(line) })),
  );
  return {
    layer: 'records',
    alter: (told) => both.reduce((altered: ProxyRecords, edit) => edit(altered), told),
  };
}

/** Hears of the request to end before the proxy does. */
const CRASH = "process.on('SIGTERM', () => process.exit(1))";

const WRONG = [
  ['tampered', 'a licence that was changed after it was signed', []],
  ['expired', 'a licence that has expired', [longExpired]],
  ['wrong-kid', 'a licence signed by somebody of whom nobody has heard', []],
  ['unsigned', 'a licence without a signature', []],
] as const;

/** Nobody's word: what a licence that does not count is said to be. */
const NONE = { ok: false, plan: 'community', features: [], reason: 'none' } as const;

export const LICENSE_SABOTEURS: readonly Saboteur[] = [
  {
    name: 'license-stuck-on',
    breaks: 'the Z.AI lane is open without a licence',
    faults: [found('trial')],
    caughtBy: ['LICENSE-01', 'LICENSE-02', 'ROUTE-02'],
    during: during('community'),
  },
  {
    name: 'license-stuck-off',
    breaks: 'the Z.AI lane stays closed with a licence that is good',
    faults: [found('tampered')],
    caughtBy: ['LICENSE-01', 'LICENSE-02', 'ROUTE-02'],
    lane: 'zai',
  },
  ...WRONG.map(([kind, what, said]) => ({
    name: `license-${kind}-accepted`,
    breaks: `${what} opens the Z.AI lane`,
    faults: [found('trial'), ...said],
    caughtBy: ['LICENSE-01', 'LICENSE-02'],
    during: during(kind),
  })),
  {
    name: 'license-gate-on-sonnet',
    breaks: 'the gate turns away what it does not guard: sonnet',
    // Routed as a haiku, it comes to the gate.
    faults: [{ layer: 'settings', settings: () => ({ CCP_MODEL: 'claude-haiku-4-5' }) }],
    caughtBy: ['LICENSE-01'],
    during: during('community'),
  },
  {
    name: 'license-key-shown-without-one',
    breaks: 'without a licence Z.AI is asked whether it is there with the key in hand',
    faults: [
      {
        layer: 'upstream',
        provider: 'zai',
        rewrite: ({ canaries }) => ({
          request: (request) => ({
            ...request,
            headers: withHeader(request.headers, 'x-api-key', canaries.zaiKey),
          }),
        }),
      },
    ],
    caughtBy: ['LICENSE-01'],
    during: during('community'),
  },
  {
    name: 'license-block-on-paper',
    breaks: 'without a licence haiku goes to Z.AI, and the log says that it was kept back',
    faults: [
      found('trial'),
      onDecisions(({ lane }) =>
        lane === 'zai' ? { lane: 'anthropic', provider: 'anth', decision: 'license_block' } : {},
      ),
    ],
    caughtBy: ['LICENSE-01', 'ROUTE-02'],
    during: during('community'),
  },
  {
    name: 'license-readyz-lies',
    breaks: '/readyz says that there is no licence',
    faults: [
      onAnswers(({ readyz }) => ({
        readyz: readyz && { ...readyz, body: { ...record(readyz.body), license: NONE } },
      })),
    ],
    caughtBy: ['LICENSE-02'],
  },
  {
    name: 'license-line-lies',
    breaks: 'the start-up line names another plan',
    faults: [onLives((life) => ({ ...life, output: life.output.replace('plan=trial', 'plan=enterprise') }))],
    caughtBy: ['LICENSE-02'],
  },
  {
    name: 'license-metric-lies',
    breaks: 'ccp_license_info names another plan',
    faults: [
      onAnswers(({ metrics }) => ({
        metrics: metrics?.replace(/^(ccp_license_info\{.*)plan="trial"/m, '$1plan="community"') ?? null,
      })),
    ],
    caughtBy: ['LICENSE-02'],
  },
  {
    name: 'license-status-lies',
    breaks: '`ccp license status` says that there is no licence',
    faults: [onAnswers(() => ({ license: NONE }))],
    caughtBy: ['LICENSE-02'],
  },
  {
    name: 'license-in-output',
    breaks: 'the proxy prints its licence, signature and all',
    faults: [
      {
        layer: 'records',
        alter: (told, { licenses }) => ({
          ...told,
          lives: told.lives.map((life) => ({ ...life, output: `${life.output}${licenses.pack('trial')}\n` })),
        }),
      },
    ],
    caughtBy: ['HYGIENE-01'],
  },
  {
    name: 'restart-skipped',
    breaks: 'the process that was to be replaced serves on',
    faults: [onLives((life, lives) => ({ ...life, pid: lives[0]?.pid ?? null }))],
    caughtBy: ['RESTART-01'],
    during: during('community', 'tampered'),
  },
  {
    name: 'restart-counts-on',
    breaks: 'another process goes on with the counters of the one before',
    faults: [
      onLives((life, lives) => ({
        ...life,
        answers: { ...life.answers, metrics: lives.map(({ answers }) => answers.metrics).join('') },
      })),
    ],
    caughtBy: ['RESTART-01'],
    during: during('community', 'tampered'),
  },
  {
    name: 'restart-crashes',
    breaks: 'asked to end, the proxy crashes',
    faults: [preload(CRASH)],
    caughtBy: ['RESTART-01'],
    during: during('community', 'tampered'),
  },
];
