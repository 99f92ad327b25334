/** The lives of the target: one process after the other, each asked what it knows before its end. */
import { OperatorError } from '../errors.ts';
import type { GivenQuota, ProxyAnswers } from '../protocol/witness.ts';
import { askBeneath } from './ask-beneath.ts';
import { askMeter } from './ask-meter.ts';
import type { RecordedLife } from './types/saboteur.ts';
import type { Target } from './types/target.ts';
import type { Canaries, Licenses, Stage } from './types/world.ts';

export interface Lives extends AsyncDisposable {
  /** The one that runs now. */
  target(): Target;
  /** Ends the life under way, hands its account over, begins the next. Rejects with NOT_READY where that does not start. */
  enter(stage: Stage, onEnded: (life: RecordedLife) => void): Promise<void>;
  /** Kills the one under way, which is asked nothing, and begins the next after `between`. */
  crash(stage: Stage, between: () => Promise<void>): Promise<void>;
  /** What all of them told, the one under way asked now. */
  told(): Promise<readonly RecordedLife[]>;
}

export interface LivesOptions {
  readonly first: Stage;
  readonly start: (stage: Stage) => Promise<Target>;
  /** Called between two lives, with the target that has ended: its commands still run. */
  readonly prepare: (stage: Stage, ended: Target) => Promise<void>;
  readonly licenses: Licenses;
  readonly canaries: Pick<Canaries, 'strayKey'>;
  /** What every life has to keep house with whose stage says nothing else. */
  readonly quota?: Omit<GivenQuota, 'mode'> | undefined;
}

export async function beginLives(options: LivesOptions): Promise<Lives> {
  const { first, start, prepare, licenses, canaries } = options;
  const past: RecordedLife[] = [];
  const begin = async (stage: Stage) => ({
    stage,
    target: await start(stage),
    startedAt: Date.now(),
    over: false,
  });
  let now = await begin(first);

  function lifeWith(answers: ProxyAnswers): RecordedLife {
    const { stage, target, startedAt } = now;
    const budget = stage.quota ?? options.quota;
    return {
      stage: stage.name,
      startedAt,
      pid: target.pid,
      license: licenses.given(stage),
      quota: budget === undefined ? null : { ...budget, mode: stage.mode ?? 'block' },
      answers,
      output: target.output(),
      ending: null,
    };
  }

  const ask = async (): Promise<RecordedLife> => lifeWith(await askTarget(now.target, canaries));
  const askAll = async (): Promise<RecordedLife> => {
    const life = await ask();
    const meter = await askMeter(now.target, life.answers.readyz?.body);
    return { ...life, answers: { ...life.answers, meter } };
  };

  return {
    target: () => now.target,
    async enter(stage, onEnded) {
      const { target } = now;
      if (target.kind === 'url')
        throw new OperatorError('USAGE', `what runs at ${target.url} is not ours to restart`);
      const told = await ask();
      const asked = performance.now();
      const { exitCode } = await target.stop();
      const ending = { exitCode, ms: performance.now() - asked };
      // Its last words come while it ends.
      const life = { ...told, output: target.output(), ending };
      past.push(life);
      now = { ...now, over: true };
      onEnded(life);
      await prepare(stage, target);
      now = await begin(stage);
    },
    async crash(stage, between) {
      const { target } = now;
      target.kill('SIGKILL');
      await target.stop();
      past.push(lifeWith(NO_ANSWERS));
      now = { ...now, over: true };
      await between();
      now = await begin(stage);
    },
    // The last one has the store of all before it.
    told: async () => (now.over ? past : [...past, await askAll()]),
    [Symbol.asyncDispose]: async () => now.target[Symbol.asyncDispose](),
  };
}

const NO_ANSWERS: ProxyAnswers = {
  readyz: null,
  providers: null,
  metrics: null,
  license: null,
  meter: null,
  beneath: null,
};

async function askTarget(target: Target, { strayKey }: Pick<Canaries, 'strayKey'>): Promise<ProxyAnswers> {
  const [readyz, metrics, providers, license] = await Promise.all([
    target.get('/readyz').catch(() => null),
    target.get('/metrics').catch(() => null),
    target.ccp(['providers', '--json']),
    target.ccp(['license', 'status', '--json']),
  ]);
  return {
    readyz: readyz && { status: readyz.status, body: parse(readyz.body) },
    meter: null,
    // Another program may have no such endpoints, and everything to relay.
    beneath: target.kind === 'builtin' ? await askBeneath(target, strayKey) : null,
    providers: providers?.exitCode === 0 ? parse(providers.stdout) : null,
    metrics: metrics?.status === 200 ? metrics.body : null,
    // Its exit code may be a judgement on the licence; what cannot be read is still what it said.
    license: license && (parse(license.stdout) ?? license.stdout),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
