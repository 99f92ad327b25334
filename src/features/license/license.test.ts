import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hasCode } from '../../platform/files.ts';
import { createLicense, type LicenseFeature, type LicenseOptions } from './license.ts';
import type { ReadFile } from './sources.ts';
import { removePack, storePack } from './store.ts';
import { createSetClock } from './testing/set-clock.ts';
import { createTestIssuer } from './testing/test-issuer.ts';

const DAY = 86_400_000;
const START = Date.parse('2027-01-01T00:00:00Z');
const times = (from: number, days: number) => ({
  issued_at: new Date(from).toISOString(),
  expires_at: new Date(from + days * DAY).toISOString(),
});

const issuer = createTestIssuer('k1');
let root: string;
let path: string;
let said: string[];
let open: LicenseFeature[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-license-'));
  path = join(root, 'license.pack');
  said = [];
  open = [];
});
afterEach(async () => {
  for (const license of open) await license[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const readFile: ReadFile = (from) => {
  try {
    return { state: 'read', bytes: readFileSync(from) };
  } catch (error) {
    return hasCode(error, 'ENOENT') ? { state: 'absent' } : { state: 'refused', why: String(error) };
  }
};

function start(options: Partial<LicenseOptions> = {}): LicenseFeature {
  const say = (text: string): void => void said.push(text);
  const license = createLicense({
    source: { kind: 'stored', label: path, path },
    keys: issuer.keys,
    read: readFile,
    clock: createSetClock(START),
    log: { info: say, warn: (text) => say(`warning: ${text}`), error: say },
    lookEveryMs: 5,
    ...options,
  });
  open.push(license);
  return license;
}

const GOOD = '[license] plan=trial features=[zai_offload] kid=k1 expires=2027-01-08T00:00:00.000Z';
const community = (reason: string): string => `[license] plan=community features=[] reason=${reason}`;
const week = () => issuer.mint(times(START, 7));

describe('at the start', () => {
  it('says what the licence is worth, and grants its features', () => {
    storePack(path, issuer.mint({ ...times(START, 7), features: ['zai_offload', 'more'] }));
    expect([...start().licensed()]).toEqual(['zai_offload', 'more']);
    expect(said).toEqual([GOOD.replace('zai_offload', 'zai_offload,more')]);
  });

  it('is content without a licence, and names source, reason and remedy of a wrong one', () => {
    expect(start().licensed().size).toBe(0);
    expect(said.splice(0)).toEqual([community('none')]);
    writeFileSync(path, JSON.stringify({ ...week(), signature: Buffer.alloc(64).toString('base64') }));
    expect(start().licensed().size).toBe(0);
    expect(said).toEqual([
      community('tampered'),
      expect.stringMatching(/^warning: the licence of .*license\.pack does not count\. .+\. Copy it again/),
    ]);
  });

  it('writes a line that nothing in a licence can break', () => {
    storePack(path, issuer.mint({ ...times(START, 7), plan: 'a b\n[license] plan=pro', features: ['x,y]'] }));
    start();
    expect(said).toEqual([GOOD.replace('trial', 'a_b__license__plan_pro').replace('zai_offload', 'x_y_')]);
  });
});

describe('time', () => {
  it('gates from the moment of the expiry on, though no timer has struck', () => {
    storePack(path, week());
    const clock = createSetClock(START);
    const license = start({ clock });
    const granted = license.licensed();
    clock.set(START + 7 * DAY - 1);
    expect(license.licensed()).toBe(granted);
    clock.set(START + 7 * DAY);
    expect(license.licensed().size).toBe(0);
    expect(license.state()).toMatchObject({ ok: false, reason: 'expired' });
    expect(said).toEqual([GOOD, community('expired'), expect.stringContaining('has expired')]);
  });

  it('tells of the expiry once, though nobody asks', () => {
    storePack(path, week());
    const clock = createSetClock(START);
    start({ clock });
    // A timer of Node reaches no further than 24 days; this one goes a day at a time.
    for (let day = 1; day <= 7; day += 1) {
      clock.set(START + day * DAY);
      expect(clock.fire()).toEqual([DAY]);
    }
    expect(clock.fire()).toEqual([]);
    expect(said.filter((line) => line === community('expired'))).toHaveLength(1);
  });

  it('begins at not_before, and not a moment earlier', () => {
    const notBefore = new Date(START + DAY).toISOString();
    storePack(path, issuer.mint({ ...times(START, 7), not_before: notBefore }));
    const clock = createSetClock(START);
    const license = start({ clock });
    clock.set(START + DAY - 1);
    expect(license.licensed().size).toBe(0);
    clock.set(START + DAY);
    expect(license.licensed().size).toBe(1);
    expect(said).toEqual([community('not_yet_valid'), expect.stringContaining('not valid yet'), GOOD]);
  });

  it('never goes back: what has expired before our eyes stays so, also when it is read again', async () => {
    storePack(path, week());
    const clock = createSetClock(START);
    const license = start({ clock });
    clock.set(START + 7 * DAY);
    expect(license.licensed().size).toBe(0);
    clock.set(START);
    expect(license.licensed().size).toBe(0);
    storePack(path, issuer.mint({ ...times(START, 7), plan: 'another' }));
    await vi.waitFor(() =>
      expect(license.state()).toMatchObject({ reason: 'expired', facts: { plan: 'another' } }),
    );
  });

  it('is seen by whoever asks, so that a clock that was put back gains nothing', async () => {
    storePack(path, issuer.mint(times(START, 30)));
    const clock = createSetClock(START);
    const license = start({ clock });
    clock.set(START + 10 * DAY);
    license.licensed();
    clock.set(START);
    storePack(path, week());
    await vi.waitFor(() => expect(license.state()).toMatchObject({ reason: 'expired' }));
  });
});

describe('a file that changes while it runs', () => {
  it('is followed: stored, spoiled, mended, renewed under another key, removed', async () => {
    const next = createTestIssuer('k2');
    const license = start({ keys: new Map([...issuer.keys, ...next.keys]) });
    const states: string[] = [];
    const expectNext = async (worth: string): Promise<void> => {
      await vi.waitFor(() =>
        expect(license.state()).toMatchObject(worth.startsWith('k') ? { kid: worth } : { reason: worth }),
      );
      states.push(worth);
    };
    await expectNext('none');
    storePack(path, week());
    await expectNext('k1');
    writeFileSync(path, '{"license":');
    await expectNext('not_json');
    storePack(path, week());
    await expectNext('k1');
    storePack(path, next.mint(times(START, 7)));
    await expectNext('k2');
    removePack(path);
    await expectNext('none');
    const lines = said
      .filter((line) => line.startsWith('[license]'))
      .map((line) => line.split(/ (?:kid|reason)=/)[1]);
    expect(lines.map((line) => line?.split(' ')[0])).toEqual(states);
  });

  it('says nothing new where it says the same', async () => {
    const pack = week();
    storePack(path, pack);
    let reads = 0;
    const license = start({
      read: (...asked) => {
        reads += 1;
        return readFile(...asked);
      },
    });
    const granted = license.licensed();
    storePack(path, pack);
    await vi.waitFor(() => expect(reads).toBe(2));
    expect(license.licensed()).toBe(granted);
    expect(said).toEqual([GOOD]);
  });

  it('is followed no more once the feature is closed', async () => {
    const license = start();
    await license[Symbol.asyncDispose]();
    storePack(path, week());
    await new Promise((resolve) => void setTimeout(resolve, 30));
    expect(license.state()).toMatchObject({ reason: 'none' });
  });
});
