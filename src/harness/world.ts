/**
 * Everything around one run: authority, upstreams, fault layers, target, recording relay and clients, each with
 * ports and folders of its own; started in the order of the wires, disposed of in reverse.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Artifact, Crash } from '../protocol/witness.ts';
import { createCanaries } from './canaries.ts';
import { createCa } from './certs.ts';
import { findClaude } from './clients/claude-binary.ts';
import { gather, settle, settleStore, storeDuty, type Telling } from './collect.ts';
import { askRebuilt, lookAtRemains, rebuiltQuotas } from './crash.ts';
import { makeHome } from './environment.ts';
import { createLicenses } from './licenses.ts';
import { beginLives } from './lives.ts';
import { createOutside } from './outside.ts';
import { plantOwnSecrets, plantSignatures } from './own-secrets.ts';
import { placeLicense } from './place-license.ts';
import { quotaFile } from './quota-file.ts';
import { lifeOf, markerLine } from './records.ts';
import {
  breakUpstreams,
  claudeSettings,
  clientRewriters,
  faultSettings,
  losingFirst,
} from './saboteurs/layers.ts';
import { startTarget } from './target.ts';
import type { Target } from './types/target.ts';
import type { Stage, World, WorldPlan } from './types/world.ts';
import { startUpstreams } from './upstreams.ts';
import { startRelay } from './wire-relay.ts';
import { createClients } from './world-clients.ts';

const READY_TIMEOUT_MS = 15_000;
/** Rollups are to be there when a run is judged, seconds after its exchanges. */
const METER = { CCP_ROLLUP_INTERVAL: '250ms' };

/** Rejects with what could not be started, and leaves nothing behind then either. */
export async function createWorld(plan: WorldPlan): Promise<World> {
  const { target: spec, saboteur, signal } = plan;
  const faults = saboteur?.faults ?? [];
  await using stack = new AsyncDisposableStack();

  const folder = path.join(plan.runDir, 'world');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  stack.defer(() => rm(folder, { recursive: true, force: true }));

  const outside = stack.use(createOutside(path.join(folder, 'elsewhere-ca.pem')));
  if (plan.storedLogin === true) outside.prepare();
  const canaries = createCanaries(plan.seed, plan.upstream?.kind === 'real' ? plan.upstream : undefined);
  const ca = createCa();
  const upstreams = await startUpstreams(plan, ca, stack);
  await plantSignatures(plan.callersLicense ?? {}, canaries);
  const licenses = createLicenses(canaries, Date.now(), plan.callersLicense);
  const quotasFile = path.join(folder, 'quotas.json');
  const scantQuotaFile = path.join(folder, 'scant-quotas.json');
  const ampleQuotaFile = path.join(folder, 'ample-quotas.json');
  const context = {
    canaries,
    licenses,
    scantQuotaFile,
    ampleQuotaFile,
    urls: { anth: upstreams.anth.url, zai: upstreams.zai.url },
  };
  const urls = await breakUpstreams({ faults, context, ca, stack });

  const caFile = path.join(folder, 'ca.pem');
  await writeFile(caFile, ca.certPem);
  const logsDir = path.join(folder, 'logs');
  await mkdir(logsDir);
  // To be rotated away by a command, which another program has not.
  if (spec.kind === 'builtin' && plan.commands !== false)
    await writeFile(path.join(logsDir, 'usage.jsonl'), markerLine(Date.now()));
  const placeBudget = async (budget: NonNullable<WorldPlan['quota']>): Promise<void> => {
    await writeFile(quotasFile, quotaFile(budget));
    await writeFile(scantQuotaFile, quotaFile({ ...budget, requests: 1 }));
    await writeFile(ampleQuotaFile, quotaFile({ ...budget, requests: budget.requests + 1 }));
  };
  const home = await makeHome(path.join(folder, 'target'));
  const start = async (stage: Stage): Promise<Target> => {
    const budget = stage.quota ?? plan.quota;
    if (budget !== undefined) await placeBudget(budget);
    return startTarget({
      spec,
      home,
      logsDir,
      commands: plan.commands,
      settings: {
        CCP_ANTHROPIC_BASE_URL: urls.anth,
        CCP_ZAI_BASE_URL: urls.zai,
        CCP_UPSTREAM_CA: caFile,
        ZAI_API_KEY: canaries.zaiKey,
        ...licenses.settings(stage.by === 'environment' ? stage.license : 'none'),
        ...METER,
        ...(budget !== undefined && { CCP_QUOTAS_FILE: quotasFile }),
        ...(stage.mode !== undefined && { CCP_REROUTE_MODE: stage.mode }),
        ...plan.settings,
        ...faultSettings(faults, context, stage),
      },
      readyTimeoutMs: plan.readyTimeoutMs ?? READY_TIMEOUT_MS,
      signal,
    });
  };
  const artifacts: Artifact[] = [];
  const prepare = async (stage: Stage, ended: Target): Promise<void> => {
    artifacts.push(...(await placeLicense(stage, { target: ended, licenses, canaries, folder })));
    // An issuer signs a licence of its own making, and the next stage may remove it.
    await plantOwnSecrets(home.home, canaries);
  };
  const lives = stack.use(
    await beginLives({ first: plan.stage, start, prepare, licenses, canaries, quota: plan.quota }),
  );
  await lives.target().ccp(['log', 'rotate']);

  let entranceUrl = (): string => lives.target().url;
  for (const rewriter of clientRewriters(faults, context)) {
    const { url } = stack.use(await startRelay({ to: entranceUrl, rewriter }));
    entranceUrl = () => url;
  }
  const relay = stack.use(await startRelay({ to: entranceUrl, observer: 'relay' }));
  const clients = createClients({
    canaries,
    claude: findClaude(),
    relayUrl: relay.url,
    entranceUrl,
    folder: path.join(folder, 'claude'),
    claudeSettings: claudeSettings(faults),
    outside,
    signal,
  });

  const onTheClientsSide = () => [...clients.transcripts(), ...relay.transcripts()];
  const keepsStore = storeDuty(spec.kind, {
    ...plan.settings,
    ...faultSettings(faults, context, plan.stage),
  });
  const settled = () => settle({ target: lives.target(), upstreams, client: onTheClientsSide });
  const crashes: Crash[] = [];
  let telling: Telling | undefined;
  const owned = stack.move();
  return {
    get target() {
      return lives.target();
    },
    upstreams,
    canaries,
    clientUrl: relay.url,
    claude: clients.claude,
    runClaude: clients.runClaude,
    runProbe: losingFirst(clients.runProbe, faults),
    async enter(stage, onEnded) {
      await settled();
      await lives.enter(stage, (life) => onEnded?.(lifeOf(life)));
      if ((stage.quota ?? plan.quota) !== undefined) await rebuiltQuotas(lives.target());
    },
    async crash(stage, observed) {
      const killedAt = Date.now();
      let remains: Awaited<ReturnType<typeof lookAtRemains>> | undefined;
      await lives.crash(stage, async () => {
        remains = await lookAtRemains(logsDir, killedAt, observed);
      });
      if (remains !== undefined)
        crashes.push(await askRebuilt(remains, lives.target(), stage.quota ?? plan.quota));
    },
    seen: () => ({
      client: onTheClientsSide(),
      upstream: [...upstreams.anth.transcripts(), ...upstreams.zai.transcripts()],
      elsewhere: outside.attempts(),
    }),
    async collect() {
      await settled();
      await settleStore(lives.target().logsDir, keepsStore);
      telling = await gather({
        lives: await lives.told(),
        crashes,
        keepsStore,
        artifacts,
        logsDir: lives.target().logsDir,
        upstreams,
        client: onTheClientsSide,
        outside,
        canaries,
        stateDir: home.home,
        context,
      });
      return telling(faults);
    },
    retold(others) {
      if (telling === undefined) throw new TypeError('nothing was collected yet');
      return telling(others);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
