import { describe, expect, it } from 'vitest';
import { askMeter } from './ask-meter.ts';

/** Answers by path; what is not there is 404. */
function target(documents: Readonly<Record<string, unknown>>) {
  const asked: string[] = [];
  return {
    asked,
    get: async (path: string) => {
      asked.push(path);
      const found = Object.hasOwn(documents, path);
      return { status: found ? 200 : 404, headers: {}, body: JSON.stringify(documents[path] ?? null) };
    },
  };
}

const READY = { store: { ok: true } };

describe('the meter of a target', () => {
  it('is asked for nothing where the target does not speak of a store: it might relay the question', async () => {
    const silent = target({});
    expect(await askMeter(silent, { providers: {} })).toBeNull();
    expect(await askMeter(silent, null)).toBeNull();
    expect(silent.asked).toEqual([]);
  });

  it('is read page by page, and with all its documents', async () => {
    const two = target({
      '/v1/usage/samples?limit=500': { samples: [{ rid: 'b' }], next_cursor: 'x/y' },
      '/v1/usage/samples?limit=500&cursor=x%2Fy': { samples: [{ rid: 'a' }], next_cursor: null },
      '/v1/usage/rollups?granularity=hour': { rollups: [{ count: 2 }] },
      '/v1/usage/rollups?granularity=day': { rollups: [] },
      '/v1/usage': { lanes: {} },
    });
    expect(await askMeter(two, READY)).toEqual({
      samples: [{ rid: 'b' }, { rid: 'a' }],
      hour: { rollups: [{ count: 2 }] },
      day: { rollups: [] },
      usage: { lanes: {} },
      quotas: null,
    });
  });

  it('is given time for its rollups to hold every sample, and no more', { timeout: 10_000 }, async () => {
    const late = target({
      '/v1/usage/samples?limit=500': { samples: [{ rid: 'a' }], next_cursor: null },
      '/v1/usage/rollups?granularity=hour': { rollups: [] },
    });
    expect(await askMeter(late, READY)).toMatchObject({ hour: { rollups: [] }, day: null });
    expect(late.asked.filter((path) => path.endsWith('hour')).length).toBeGreaterThan(5);
  });
});
