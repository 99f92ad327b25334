import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RawProbe, Stage, WorldPlan } from './types/world.ts';
import { createWorld } from './world.ts';

const TRIAL: Stage = { name: 'run', license: 'trial', by: 'environment' };

let runDir: string;
let plan: WorldPlan;
beforeEach(async () => {
  runDir = await mkdtemp(path.join(tmpdir(), 'world-'));
  plan = { runDir, seed: 'a seed', target: { kind: 'builtin' }, stage: TRIAL };
});
afterEach(() => rm(runDir, { recursive: true }));

function message(id: string, model: string, expectedLane: string, key: string): RawProbe {
  return {
    id,
    model,
    expectedLane,
    timeoutMs: 10_000,
    request: (canary) => {
      const body = JSON.stringify({
        model,
        stream: true,
        max_tokens: 9,
        messages: [{ role: 'user', content: canary }],
      });
      return {
        method: 'POST',
        target: '/v1/messages?beta=true',
        headers: [
          ['x-api-key', key],
          ['content-type', 'application/json'],
          ['content-length', String(body.length)],
        ],
        body,
      };
    },
  };
}

describe('a world', () => {
  it('takes each probe to its lane and gives the account of all witnesses', async () => {
    await using world = await createWorld(plan);
    const { anthropicKey, zaiKey } = world.canaries;
    const results = [
      await world.runProbe(message('h', 'claude-haiku-4-5', 'zai', anthropicKey)),
      await world.runProbe(message('s', 'claude-sonnet-5', 'anthropic', anthropicKey)),
    ];
    expect(results).toMatchObject([
      { id: 'h', ok: true, exitCode: 0 },
      { id: 's', ok: true, expectedLane: 'anthropic' },
    ]);
    const found = await world.collect();
    expect(found.client).toHaveLength(2);
    for (const [probe, observer, key] of [
      [results[0], 'zai', zaiKey],
      [results[1], 'anth', anthropicKey],
    ] as const) {
      const own = found.upstream.filter(({ request }) =>
        Buffer.from(request.body.base64 ?? '', 'base64').includes(probe?.canary ?? '?'),
      );
      expect(own).toMatchObject([{ observer, requestId: probe?.answer.transcript.requestId }]);
      expect(own[0]?.request.headers).toContainEqual(['x-api-key', key]);
    }
    expect(found.usage).toMatchObject({ bad: [], rotatedBefore: true });
    expect(found.usage.events.filter(({ event }) => event === 'completion').map(({ lane }) => lane)).toEqual([
      'zai',
      'anthropic',
    ]);
    const [life] = found.lives;
    expect(life?.answers.readyz?.status).toBe(200);
    expect(JSON.stringify(life?.answers.providers)).toContain('"lane":"zai"');
    expect(life?.answers.metrics).toContain('ccp_requests_total');
    expect(found.artifacts.map(({ place }) => place)).toEqual(
      expect.arrayContaining(['usage.jsonl', 'proxy.log', 'metrics']),
    );
    expect(found.canaries.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['zai-key', 'prompt:h', 'control.token']),
    );
  });

  it('leaves no folder, no process and no listener behind', async () => {
    const world = await createWorld(plan);
    const { pid } = world.target;
    await world[Symbol.asyncDispose]();
    expect(await readdir(runDir)).toEqual([]);
    expect(() => process.kill(-(pid ?? 0), 0)).toThrow('ESRCH');
    await expect(fetch(world.clientUrl)).rejects.toThrow('fetch failed');
  });

  it('leaves nothing behind either where its target does not start', async () => {
    const broken: WorldPlan = { ...plan, target: { kind: 'cmd', command: 'exit 1' } };
    await expect(createWorld(broken)).rejects.toMatchObject({ code: 'NOT_READY' });
    expect(await readdir(runDir)).toEqual([]);
  });

  it('can still be collected after its run was interrupted', async () => {
    const abort = new AbortController();
    await using world = await createWorld({ ...plan, signal: abort.signal });
    await world.runProbe(message('s', 'claude-sonnet-5', 'anthropic', world.canaries.anthropicKey));
    abort.abort();
    await expect(world.runProbe(message('t', 'claude-sonnet-5', 'anthropic', ''))).rejects.toThrow('abort');
    expect(await world.collect()).toMatchObject({
      lives: [{ answers: { readyz: { status: 200 } } }],
      client: [{ ending: 'complete' }],
    });
  });

  it('lives on through restarts of its target: one home, one log, one entrance, an account of each life', async () => {
    const first: Stage = { name: 'first', license: 'none', by: 'environment' };
    await using world = await createWorld({ ...plan, stage: first });
    const { anthropicKey } = world.canaries;
    const { clientUrl, target } = world;
    await world.runProbe(message('one', 'claude-sonnet-5', 'anthropic', anthropicKey));
    await world.enter({ name: 'second', license: 'expired', by: 'environment' });
    expect(() => process.kill(-(target.pid ?? 0), 0)).toThrow('ESRCH');
    await world.runProbe(message('two', 'claude-sonnet-5', 'anthropic', anthropicKey));
    await world.runProbe(message('three', 'claude-sonnet-5', 'anthropic', anthropicKey));
    expect((await fetch(`${clientUrl}/healthz`)).status).toBe(200);

    const { lives, usage, client } = await world.collect();
    expect(lives).toMatchObject([
      { stage: 'first', pid: target.pid, license: { kind: 'none' }, ending: { exitCode: 0 } },
      { stage: 'second', pid: world.target.pid, license: { kind: 'expired' }, ending: null },
    ]);
    expect(lives[0]?.pid).not.toBe(lives[1]?.pid);
    const counted = lives.map(
      ({ answers }) => /^ccp_requests_total\{.*\} (\d+)$/m.exec(answers.metrics ?? '')?.[1],
    );
    expect(counted).toEqual(['1', '2']);
    expect(usage.events.filter(({ event }) => event === 'completion')).toHaveLength(3);
    expect(usage.rotatedBefore).toBe(true);
    expect(client.filter(({ request }) => request.method === 'POST')).toHaveLength(3);
  });

  it('puts no end in order on record of a target that it killed', async () => {
    await using world = await createWorld(plan);
    const { pid } = world.target;
    await world.crash(plan.stage, { acknowledged: () => [], load: () => null, slopes: null });
    const { lives, crashes } = await world.collect();
    expect(lives).toMatchObject([
      { pid, ending: null, answers: { metrics: null } },
      { pid: world.target.pid, ending: null },
    ]);
    expect(crashes).toHaveLength(1);
  });

  it('has no further life where the next one does not start, and tells of those before it', async () => {
    const flag = path.join(runDir, 'started');
    const command = `if [ -e ${flag} ]; then exit 7; fi; touch ${flag}; exec ${process.execPath} -e "${LISTEN}" {port}`;
    await using world = await createWorld({ ...plan, target: { kind: 'cmd', command } });
    await expect(world.enter({ ...TRIAL, name: 'next' })).rejects.toMatchObject({ code: 'NOT_READY' });
    expect((await world.collect()).lives.map(({ stage }) => stage)).toEqual(['run']);
  });
});

const LISTEN = "require('http').createServer((q, s) => s.end()).listen(process.argv[1], '127.0.0.1')";
