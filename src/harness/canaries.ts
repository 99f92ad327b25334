/**
 * The made-up secrets of a run. Each is unique, has the shape of the real thing (so that a redactor or a
 * header policy that goes by shape is put to the test), and knows the places where it may be seen.
 */
import { createHash } from 'node:crypto';
import type { Canary } from '../protocol/witness.ts';
import type { Canaries, ProviderId, RealCredentials } from './types/world.ts';

/** The wire between client and target, as the client's witness saw it. */
const CLIENT_WIRE = 'wire:client:request';
const upstreamWire = (provider: ProviderId) => `wire:${provider}:request`;
/** Hosts that Claude Code asks about its own stored login, past every base URL (measured). */
const PROFILE = 'elsewhere:api.anthropic.com';
const REFRESH = 'elsewhere:platform.claude.com';

/** Plants the canaries of one run; the same seed gives the same ones. Real credentials take the place of made-up ones. */
export function createCanaries(seed: string, real?: RealCredentials): Canaries {
  const planted = new Map<string, Canary>();
  let all: readonly Canary[] | undefined;

  function plant(name: string, value: string, allowed: readonly string[]): string {
    planted.set(name, { name, value, allowed });
    all = undefined;
    return value;
  }

  const toAnthropic = [CLIENT_WIRE, upstreamWire('anth')];
  return {
    anthropicKey: plant(
      'anthropic-key',
      real?.anthropicKey ?? `sk-ant-api03-${token(seed, 'key', 93)}AA`,
      toAnthropic,
    ),
    anthropicOauth: plant('anthropic-oauth', `sk-ant-oat01-${token(seed, 'oauth', 93)}AA`, [
      ...toAnthropic,
      PROFILE,
    ]),
    anthropicRefresh: plant('anthropic-refresh', `sk-ant-ort01-${token(seed, 'refresh', 93)}AA`, [REFRESH]),
    zaiKey: plant('zai-key', real?.zaiKey ?? `${hex(seed, 'zai', 32)}.${word(seed, 'zai', 16)}`, [
      upstreamWire('zai'),
    ]),
    clientToken: plant('client-token', token(seed, 'client-token', 43), [CLIENT_WIRE]),
    strayKey: plant('stray-key', `sk-ant-api03-${token(seed, 'stray-key', 93)}AA`, []),
    inviteCode: plant('invite-code', `UAT-${hex(seed, 'invite-code', 16).toUpperCase()}`, []),
    licenseSeed: plant('license-seed', token(seed, 'license-seed', 32), []),
    prompt: (probe, providers) =>
      plant(`prompt:${probe}`, phrase(seed, probe), [CLIENT_WIRE, ...providers.map(upstreamWire)]),
    add: (name, value) => void plant(name, value, []),
    all: () => (all ??= [...planted.values()]),
  };
}

/** Two words that no prompt holds by chance, and 48 bits that make them unique. */
function phrase(seed: string, probe: string): string {
  return `canary-phrase-${hex(seed, `prompt:${probe}`, 12)}`;
}

function token(seed: string, purpose: string, length: number): string {
  return draw(seed, purpose, length).toString('base64url').slice(0, length);
}

function word(seed: string, purpose: string, length: number): string {
  return draw(seed, `${purpose}:word`, length * 2)
    .toString('base64')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .slice(0, length);
}

function hex(seed: string, purpose: string, length: number): string {
  return draw(seed, purpose, length).toString('hex').slice(0, length);
}

/** Bytes that depend on nothing but the seed and the purpose. */
function draw(seed: string, purpose: string, bytes: number): Buffer {
  return createHash('shake256', { outputLength: bytes }).update(`${seed}\0${purpose}`).digest();
}
