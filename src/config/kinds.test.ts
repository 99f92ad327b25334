import { describe, expect, it } from 'vitest';
import { duration, durationOrNone, host, type Kind, listOf, path, port, size } from './kinds.ts';

const read = <T>(kind: Kind<T>, text: string): T | undefined => kind.schema.safeParse(text).data;

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5h', 5_400_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
  ])('reads %s as %d milliseconds', (text, ms) => {
    expect(read(duration, text)).toBe(ms);
  });

  it.each(['', '30', '30 s', '-1s', '1e3s', 's', '5min', '0s', '1s1s', '25d', '999999999999999d'])(
    'refuses %j',
    (text) => {
      expect(read(duration, text)).toBeUndefined();
    },
  );

  it('takes 0 for no limit only where a setting allows that', () => {
    expect(read(durationOrNone, '0')).toBe(0);
    expect(read(durationOrNone, '10m')).toBe(600_000);
    expect(read(duration, '0')).toBeUndefined();
  });
});

describe('sizes', () => {
  it.each([
    ['5242880', 5_242_880],
    ['64MiB', 67_108_864],
    ['500kB', 500_000],
    ['1.5KiB', 1536],
    ['4GiB', 4_294_967_296],
  ])('reads %s as %d bytes', (text, bytes) => {
    expect(read(size, text)).toBe(bytes);
  });

  it.each(['0', '5mib', '5 MiB', '-1', '5GiB', 'MiB'])('refuses %j', (text) => {
    expect(read(size, text)).toBeUndefined();
  });
});

describe('the other kinds', () => {
  it('takes whole numbers up to 65535 for a port', () => {
    expect(['0', '65535', '65536', '8082x', '1.5', ''].map((text) => read(port, text))).toEqual([
      0,
      65_535,
      ...Array.from({ length: 4 }, () => undefined),
    ]);
  });

  it('refuses a host that carries a port or brackets it', () => {
    expect(['127.0.0.1', '::1', 'localhost', 'a b', '[::1]', ''].map((text) => read(host, text))).toEqual([
      '127.0.0.1',
      '::1',
      'localhost',
      ...Array.from({ length: 3 }, () => undefined),
    ]);
  });

  it('reads a list of known words, and none as the empty list', () => {
    const words = listOf('auth', 'net');
    expect(read(words, 'net, auth')).toEqual(['net', 'auth']);
    expect(read(words, 'none')).toEqual([]);
    expect(read(words, 'net,dns')).toBeUndefined();
  });

  it('settles a path by the working directory, and ~ by the home folder', () => {
    const place = { cwd: '/here', home: '/h/me' };
    expect(['logs', '/abs', '~/x', '~', 'a/~/b'].map((text) => path.finish?.(text, place))).toEqual([
      '/here/logs',
      '/abs',
      '/h/me/x',
      '/h/me',
      '/here/a/~/b',
    ]);
  });
});
