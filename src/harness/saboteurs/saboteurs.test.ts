import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Collected } from '../../protocol/witness.ts';
import type { Saboteur } from '../types/saboteur.ts';
import type { RawProbe } from '../types/world.ts';
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
    for (const { name, caughtBy, blinds = [], faults } of SABOTEURS) {
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect([...caughtBy, ...blinds].length).toBeGreaterThan(0);
      expect(caughtBy.filter((id) => blinds.includes(id))).toEqual([]);
      expect(faults.length).toBeGreaterThan(0);
    }
  });

  it('name scenarios that the mocks can play', async () => {
    const { names } = await loadScenarios();
    expect(names).toEqual(expect.arrayContaining(SABOTEURS.flatMap(({ scenario }) => scenario?.name ?? [])));
  });
});

/** What the rules of evidence want broken at the least, and who breaks it. */
const DEMANDED = {
  'haiku sent to the wrong lane': ['haiku-to-anthropic-as-zai', 'haiku-stays', 'offload-paused'],
  'client token leaked to Z.AI': ['client-key-to-zai', 'client-login-to-zai', 'client-key-to-zai-disguised'],
  'Z.AI key leaked to Anthropic': ['zai-key-to-anthropic'],
  'also only in a fallback': ['zai-key-in-fallback-to-anthropic'],
  'only in a probe': ['zai-key-in-probe-of-anthropic'],
  'anthropic-beta dropped or rewritten': ['beta-dropped', 'beta-rewritten'],
  'query string lost': ['query-lost'],
  'body re-serialised': ['body-reserialised'],
  'stream buffered to the end': ['stream-buffered'],
  'ping swallowed': ['ping-swallowed'],
  'ping invented': ['ping-invented'],
  'event duplicated, reordered, lost, cut inside a UTF-8 character': [
    'event-doubled',
    'events-swapped',
    'event-lost',
    'characters-torn',
  ],
  'truncation reported as success': ['reset-as-clean-end', 'truncation-logged-as-success'],
  'message_stop synthesised': ['message-stop-synthesised'],
  'usage doubled': ['usage-doubled'],
  'cache tokens lost': ['cache-tokens-lost'],
  'completion line missing, doubled, interleaved with another': [
    'completion-missing',
    'completion-doubled',
    'lines-interleaved',
  ],
  'wrong lane label': ['wrong-lane-label'],
  'retry-after lost': ['retry-after-lost'],
  'error body rewritten': ['error-body-rewritten'],
  'status changed': ['status-changed'],
  'gzip decoded with its header kept': ['gzip-decoded-header-kept'],
  'upstream kept running after the client left': ['upstream-runs-on'],
  'H1 where H2 was claimed': ['h1-claimed-as-h2'],
  'licence stuck on or off': ['license-stuck-on', 'license-stuck-off'],
  'expired or tampered pack accepted': ['license-expired-accepted', 'license-tampered-accepted'],
  'quota never or always blocking': ['quota-never-blocks', 'quota-always-blocks'],
  'store rows lost on kill': ['rows-lost-on-kill'],
  'readiness that lies': ['readiness-lies'],
};

it.each(Object.entries(DEMANDED))('%s: is among what they break', (_what, names) => {
  expect(SABOTEURS.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
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
