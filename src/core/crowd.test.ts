/** Five hundred exchanges at once, most of which end badly: each gets its one record, and nothing stays behind. */
import { readdirSync, readlinkSync } from 'node:fs';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { CompletionEvent, DecisionEvent } from '../protocol/usage-event.ts';
import { listen } from './testing/listen.ts';
import { BLOCK_START, delta, START, WHOLE_STREAM } from './testing/streams.ts';
import { until } from './testing/wait.ts';
import { startWorld } from './testing/world.ts';

const CROWD = 500;
const ROUNDS = 3;
const SEED = 20_260_101;

const BREAKS = ['reset before the head', 'reset in the midst', 'cut short', 'overloaded'] as const;

interface Plan {
  readonly id: string;
  readonly model: 'claude-haiku-4-5' | 'claude-sonnet-5';
  readonly kind: 'whole' | 'leave' | (typeof BREAKS)[number];
  /** Milliseconds between the pieces of the answer, or until its client leaves. */
  readonly ms: number;
}

/** Numbers in [0, 1) that are the same each time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function plansOf(round: number): Plan[] {
  const random = seeded(SEED + round);
  return Array.from({ length: CROWD }, (_, index) => ({
    id: `${round}-${index}`,
    model: random() < 0.5 ? 'claude-haiku-4-5' : 'claude-sonnet-5',
    kind: (['whole', 'leave', BREAKS[Math.floor(random() * BREAKS.length)]] as const)[index % 3] ?? 'whole',
    ms: Math.floor(random() * 30),
  }));
}

/** What the record of each plan must say. */
function expectationOf({ kind, model }: Plan): object {
  const falls = model === 'claude-haiku-4-5';
  const decision = falls ? 'to_zai' : 'to_anthropic';
  const stays = { decision, status: 200 };
  switch (kind) {
    case 'whole':
      return { ...stays, reason: 'ok' };
    case 'leave':
      // It may have had everything before it left, or not even the head.
      return { decision, reason: expect.stringMatching(/^(?:client_abort|ok)$/) };
    case 'reset in the midst':
      return { ...stays, reason: 'upstream_reset', err_type: 'net' };
    case 'cut short':
      return { ...stays, reason: 'truncated', err_type: 'protocol' };
    case 'reset before the head':
      return falls
        ? { decision: 'fallback_net', status: 200, reason: 'ok' }
        : { decision, status: 502, reason: 'upstream_error', err_type: 'net' };
    case 'overloaded':
      return falls
        ? { decision: 'fallback_overload', status: 200, reason: 'ok' }
        : { decision, status: 529, reason: 'upstream_error', err_type: 'overloaded' };
  }
}

/** Both lanes in one server: it does what the body asks for, and takes over well what fell back. */
async function startUpstream(onRequest: (id: string) => void) {
  const perform = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { plan }: { plan: Plan } = JSON.parse(await text(incoming));
    onRequest(plan.id);
    const tookOver =
      plan.model === 'claude-haiku-4-5' && incoming.url?.startsWith('/api/anthropic') === false;
    const kind = tookOver ? 'whole' : plan.kind;
    if (kind === 'overloaded') {
      response.writeHead(529).end('{}');
      return;
    }
    if (kind !== 'reset before the head') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const piece of [START, BLOCK_START, delta('a')]) {
        response.write(piece);
        await sleep(plan.ms);
      }
    }
    if (kind.startsWith('reset')) incoming.socket.resetAndDestroy();
    else if (kind === 'cut short') response.end();
    else response.end(WHOLE_STREAM.slice((START + BLOCK_START).length));
  };
  const server = createServer((incoming, response) => void perform(incoming, response));
  const port = await listen(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Sends one request on a connection of its own; resolves when that is over, however it ended. */
function visit(port: number, plan: Plan, underWay: Map<string, ClientRequest>): Promise<void> {
  return new Promise((resolve) => {
    const going = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/messages',
      agent: false,
      headers: { 'x-client-request-id': plan.id },
    });
    underWay.set(plan.id, going);
    going.on('response', (answer) => answer.on('error', () => {}).resume());
    going.on('error', () => {}).on('close', resolve);
    going.end(JSON.stringify({ model: plan.model, stream: true, plan }));
  });
}

function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      // The descriptor of the listing itself.
      return false;
    }
  }).length;
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Bytes that are still reachable. */
function heldMemory(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

it(`keeps ${CROWD} exchanges apart, a third left by their clients and a third broken upstream (seed ${SEED})`, async () => {
  let decisions = new Map<string, DecisionEvent>();
  let completions: CompletionEvent[] = [];
  const underWay = new Map<string, ClientRequest>();
  let plans = new Map<string, Plan>();
  await using upstream = await startUpstream((id) => {
    const plan = plans.get(id);
    if (plan?.kind === 'leave') setTimeout(() => underWay.get(id)?.destroy(), plan.ms * 2);
  });
  await using world = await startWorld({
    anth: upstream.origin,
    zai: upstream.origin,
    gateway: {
      // Nothing of the world may grow here but what the proxy keeps.
      partials: { write: () => true },
      observers: [
        {
          onDecision: (event) => void decisions.set(event.rid, event),
          onCompletion: (event) => void completions.push(event),
        },
      ],
    },
  });
  const socketsAtRest = openSockets();
  let heldAtFirst = 0;

  for (let round = 0; round < ROUNDS; round++) {
    plans = new Map(plansOf(round).map((plan) => [plan.id, plan]));
    await Promise.all([...plans.values()].map((plan) => visit(world.port, plan, underWay)));
    await until(() => completions.length >= CROWD && world.gateway.inflight() === 0, 'every record');

    const records = new Map(completions.map((record) => [record.client_request_id ?? '', record]));
    expect([completions.length, records.size, decisions.size]).toEqual([CROWD, CROWD, CROWD]);
    for (const plan of plans.values()) {
      const record = records.get(plan.id);
      expect({ plan, record }).toMatchObject({ record: { ...expectationOf(plan), model: plan.model } });
      expect(decisions.get(record?.rid ?? '')?.model).toBe(plan.model);
    }
    const left = completions.filter(({ reason }) => reason === 'client_abort').length;
    expect(left).toBeGreaterThan(CROWD / 6);

    decisions = new Map();
    completions = [];
    plans = new Map();
    underWay.clear();
    if (round === 0) heldAtFirst = heldMemory();
  }

  await until(() => openSockets() <= socketsAtRest, 'the last idle connection to an upstream to be given up');
  // A kilobyte an exchange would be a leak; what the engine keeps for itself comes and goes.
  const allowed = heldAtFirst + (ROUNDS - 1) * CROWD * 1024;
  await until(() => heldMemory() < allowed, 'the memory of the exchanges to be given back');
});
