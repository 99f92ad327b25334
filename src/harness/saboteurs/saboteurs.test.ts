import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Collected, RawProbe, Saboteur } from '../types.ts';
import { loadScenarios } from '../upstream/scenarios.ts';
import { createWorld } from '../world.ts';
import { SABOTEURS } from './saboteurs.ts';

let runDir: string;
beforeEach(async () => {
  runDir = await mkdtemp(path.join(tmpdir(), 'saboteur-'));
});
afterEach(() => rm(runDir, { recursive: true }));

describe('the saboteurs', () => {
  it('have unique names, and each a check that must catch it', () => {
    const names = SABOTEURS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, caughtBy, faults } of SABOTEURS) {
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(caughtBy.length).toBeGreaterThan(0);
      expect(faults.length).toBeGreaterThan(0);
    }
  });

  it('name scenarios that the mocks can play', async () => {
    const { names } = await loadScenarios();
    expect(names).toEqual(expect.arrayContaining(SABOTEURS.flatMap(({ scenario }) => scenario?.name ?? [])));
  });
});

describe('a fault', () => {
  const find = (name: string): Saboteur => {
    const saboteur = SABOTEURS.find((one) => one.name === name);
    if (saboteur === undefined) throw new Error(`no saboteur ${name}`);
    return saboteur;
  };

  /** One streaming message of each lane in a world with this saboteur. */
  async function runWith(name: string): Promise<Collected> {
    await using world = await createWorld({
      runDir,
      seed: 'fixed',
      target: { kind: 'builtin' },
      stage: { name: 'run', license: 'trial', by: 'environment' },
      saboteur: find(name),
    });
    await world.runProbe(message('claude-sonnet-5', 'anthropic', world.canaries.anthropicKey));
    await world.runProbe(message('claude-haiku-4-5', 'zai', world.canaries.anthropicKey));
    // Awaited here: the world ends with this function.
    return await world.collect();
  }

  const eventsOf = (transcripts: Collected['client']) =>
    transcripts
      .filter(({ request }) => request.method === 'POST')
      .map(
        ({ response }) =>
          Buffer.from(response?.body.base64 ?? '', 'base64')
            .toString()
            .match(/^event: \w+/gm) ?? [],
      );

  it('between client and target shows to the client and not to the upstream', async () => {
    const { client, upstream } = await runWith('ping-swallowed');
    for (const events of eventsOf(client)) {
      expect(events).toContain('event: message_stop');
      expect(events).not.toContain('event: ping');
    }
    for (const events of eventsOf(upstream)) expect(events).toContain('event: ping');
  });

  it('between target and upstream shows on the lane that it sits on, and there alone', async () => {
    const { client, upstream } = await runWith('query-lost');
    expect(client.map(({ request }) => request.target)).toEqual([
      '/v1/messages?beta=true',
      '/v1/messages?beta=true',
    ]);
    const targets = upstream
      .filter(({ request }) => request.method === 'POST')
      .map(({ observer, request }) => [observer, request.target]);
    expect(targets).toEqual([
      ['anth', '/v1/messages'],
      ['zai', '/api/anthropic/v1/messages?beta=true'],
    ]);
  });

  it('over the records shows in what is told, not on the wire', async () => {
    const { usage, client } = await runWith('completion-doubled');
    expect(client).toHaveLength(2);
    expect(usage.events.filter(({ event }) => event === 'completion')).toHaveLength(3);
  });

  it('in the settings changes the target itself', async () => {
    const { upstream } = await runWith('haiku-stays');
    const posts = upstream.filter(({ request }) => request.method === 'POST');
    expect(posts.map(({ observer }) => observer)).toEqual(['anth', 'anth']);
  });
});

function message(model: string, expectedLane: string, key: string): RawProbe {
  return {
    id: model,
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
      const headers = [
        ['x-api-key', key],
        ['content-type', 'application/json'],
        ['content-length', String(body.length)],
      ] as const;
      return { method: 'POST', target: '/v1/messages?beta=true', headers, body };
    },
  };
}
