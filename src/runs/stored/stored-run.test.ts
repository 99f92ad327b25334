import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS } from '../../analysis/checks/index.ts';
import type { Evidence } from '../../analysis/evidence.ts';
import { formsOf } from '../../analysis/hygiene.ts';
import { judgeAll } from '../../analysis/judge.ts';
import { lifeIn, type Mutable, NOT_IN_EVERY_RUN, pick } from '../../analysis/testing/green-run.ts';
import { BEGIN, storeGreenRun, temporaryFolder } from '../testing/stored-green-run.ts';
import { openRunFolder } from './run-folder.ts';
import { readStoredRun } from './stored-run.ts';

let parent: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  parent = await temporaryFolder();
});
afterAll(() => parent[Symbol.asyncDispose]());

type Alter = (evidence: Mutable<Evidence>) => unknown;

async function storedOutcomes(alter?: Alter): Promise<Record<string, string>> {
  const { folder } = await storeGreenRun(parent.path, alter);
  const { evidence } = await readStoredRun(folder.path);
  return Object.fromEntries(judgeAll(CHECKS, evidence).map(({ id, outcome }) => [id, outcome]));
}

function secretOf(evidence: Evidence, name: string): string {
  const canary = evidence.canaries.find((one) => one.name === name);
  if (canary === undefined) throw new Error(`no canary ${name}`);
  return canary.value;
}

async function everyFile(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map((entry) => readFile(path.join(entry.parentPath, entry.name), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}

describe('a stored run', () => {
  it('is judged as the evidence was that it was stored from', async () => {
    const { folder, evidence } = await storeGreenRun(parent.path);
    const stored = await readStoredRun(folder.path);
    expect(judgeAll(CHECKS, stored.evidence)).toEqual(judgeAll(CHECKS, evidence));
    expect(stored).toMatchObject({ ending: 'complete', lost: [], ms: 1000 });
  });

  it('tells of each life of the proxy', async () => {
    const { folder, evidence } = await storeGreenRun(parent.path, (green) => {
      const second = structuredClone(lifeIn(green));
      green.lives.push({ ...second, stage: 'second', pid: 2, license: { kind: 'env', expected: null } });
    });
    const { lives } = (await readStoredRun(folder.path)).evidence;
    expect(lives).toHaveLength(2);
    expect(lives).toEqual(evidence.lives);
  });

  it('of old, with one life and no licence, is read as such', async () => {
    const { folder, evidence } = await storeGreenRun(parent.path);
    const file = path.join(folder.path, 'witness/proxy.jsonl');
    const { readyz, providers, metrics } = lifeIn(evidence).answers;
    const lines = (await readFile(file, 'utf8'))
      .split('\n')
      .map((line) =>
        line.startsWith('{"kind":"answers"')
          ? JSON.stringify({ kind: 'answers', answers: { readyz, providers, metrics } })
          : line,
      );
    await writeFile(file, lines.join('\n'));
    await rm(path.join(folder.path, 'witness/store.jsonl'));
    const stored = await readStoredRun(folder.path);
    expect(stored.evidence.lives).toEqual([
      {
        stage: 'run',
        startedAt: 0,
        pid: null,
        license: { kind: 'env', expected: null },
        quota: null,
        licenseLines: [],
        ending: null,
        answers: { readyz, providers, metrics, license: null, meter: null, beneath: null },
      },
    ]);
    const judged = judgeAll(CHECKS, stored.evidence).filter(({ outcome }) => outcome !== 'pass');
    expect(judged.map(({ id, outcome }) => [id, outcome])).toEqual([
      // Nobody asked then; the plan of such a run does not have it.
      ['OWN-01', 'inconclusive'],
      ['LICENSE-02', 'skipped'],
      ...['RESTART-01', 'STORE-01', 'STORE-02', 'USAGE-01'].map((id) => [id, 'skipped']),
      ...NOT_IN_EVERY_RUN.slice(1).map((id) => [id, 'skipped']),
    ]);
  });

  it('holds no credential of the run in any file, in no disguise', async () => {
    const { folder, evidence } = await storeGreenRun(parent.path);
    const text = await everyFile(folder.path);
    for (const name of ['anthropic-key', 'anthropic-oauth', 'zai-key']) {
      expect(text).toContain(`{{${name}}}`);
      for (const form of formsOf(secretOf(evidence, name))) expect(text).not.toContain(form.text);
    }
  });

  it.each(formsOf('sk-ant-api03-x').map(({ form }, index) => [form, index] as const))(
    'still shows a leak in its log as %s (form %i)',
    async (_form, index) => {
      const leak: Alter = (evidence) => {
        const { text = '' } = formsOf(secretOf(evidence, 'zai-key'))[index] ?? {};
        expect(text).not.toBe('');
        evidence.artifacts.push({ place: 'leaky.log', text: `before ${text} after` });
      };
      expect(await storedOutcomes(leak)).toMatchObject({ 'HYGIENE-01': 'fail' });
    },
  );

  it('still shows what went out with somebody, and tells that from nobody having been watched', async () => {
    const leak: Alter = (evidence) => {
      const { host, request } = evidence.elsewhere?.[0] ?? {};
      if (host === undefined || request === undefined) throw new Error('nobody was asked');
      request.body = JSON.stringify({ oops: secretOf(evidence, 'zai-key') });
    };
    expect(await storedOutcomes(leak)).toMatchObject({ 'HYGIENE-03': 'fail' });
    const unwatched: Alter = (evidence) => (evidence.elsewhere = null);
    expect(await storedOutcomes(unwatched)).toMatchObject({ 'HYGIENE-03': 'skipped' });
  });

  it('still shows a leak that is broken over lines', async () => {
    const leak: Alter = (evidence) => {
      const key = secretOf(evidence, 'zai-key');
      evidence.artifacts.push({ place: 'leaky.log', text: `${key.slice(0, 20)}\n   ${key.slice(20)}` });
    };
    expect(await storedOutcomes(leak)).toMatchObject({ 'HYGIENE-01': 'fail' });
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ] as const)('still shows a leak in a %s body, and keeps it no secret there', async (encoding, compress) => {
    const leak: Alter = (evidence) => {
      const response = evidence.client.find((one) => one.response !== undefined)?.response;
      if (response === undefined) throw new Error('no response to leak in');
      response.headers.push(['content-encoding', encoding]);
      response.body.base64 = compress(`{"oops":"${secretOf(evidence, 'zai-key')}"}`).toString('base64');
    };
    expect(await storedOutcomes(leak)).toMatchObject({ 'HYGIENE-01': 'fail' });
  });

  it('that died is judged from what it had stored, without the line that was being written', async () => {
    const { folder } = await storeGreenRun(parent.path);
    const events = path.join(folder.path, 'events.jsonl');
    const lines = (await readFile(events, 'utf8')).trimEnd().split('\n');
    await rm(events);
    await appendFile(events, `${lines.slice(0, -2).join('\n')}\n{"type":"probe_en`);
    const stored = await readStoredRun(folder.path);
    expect(stored.ending).toBe('died');
    expect(stored.lost).toEqual([{ id: expect.any(String), problem: 'was under way when the run ended' }]);
    expect(stored.evidence.client).not.toEqual([]);
  });

  it('that died says what it told last, other than that the machine was late', async () => {
    const { folder } = await storeGreenRun(parent.path);
    const events = path.join(folder.path, 'events.jsonl');
    const lines = (await readFile(events, 'utf8')).trimEnd().split('\n').slice(0, -1);
    const late = JSON.stringify({ type: 'machine_late', at: BEGIN + 900, ms: 70 });
    await writeFile(events, `${[...lines, late, late].join('\n')}\n`);
    const stored = await readStoredRun(folder.path);
    expect(stored).toMatchObject({ ending: 'died', endingNote: 'its last words were probe_ended' });
    expect(stored.evidence.stalls).toHaveLength(2);
  });

  it('knows in which file of the log a bad line stands', async () => {
    const bad = [{ file: 'usage.jsonl.1', line: 2, problem: 'not valid JSON' }];
    const { folder } = await storeGreenRun(parent.path, ({ usage }) => (usage.bad = [...bad]));
    expect((await readStoredRun(folder.path)).evidence.usage.bad).toEqual(bad);
  });

  it('that died keeps the account of the stages that had ended, and knows of the one under way', async () => {
    const stages = ['run', 'second'].map((name) => ({ name, license: 'none', by: 'environment' }) as const);
    const { folder, evidence } = await storeGreenRun(parent.path, undefined, { stages });
    const events = path.join(folder.path, 'events.jsonl');
    const lines = (await readFile(events, 'utf8')).trimEnd().split('\n').slice(0, -1);
    const at = BEGIN + 60_000;
    await writeFile(
      events,
      `${lines.join('\n')}\n${JSON.stringify({ type: 'stage_started', at, name: 'second' })}\n`,
    );
    const logs = path.join(folder.path, 'world/logs');
    await mkdir(logs, { recursive: true });
    await writeFile(
      path.join(logs, 'usage.jsonl'),
      pick(
        evidence.artifacts.map((one) => ({ id: one.place, ...one })),
        'usage',
      ).text,
    );
    const stored = await readStoredRun(folder.path);
    expect(stored.evidence.lives).toMatchObject([
      { ...lifeIn(evidence) },
      {
        stage: 'second',
        startedAt: at,
        license: { kind: 'none', expected: null },
        answers: { metrics: null },
      },
    ]);
    const outcome = (id: string) => judgeAll(CHECKS, stored.evidence).find((one) => one.id === id)?.outcome;
    // What the second counted is in nobody's account, and whether it barred neither.
    expect(['METRICS-01', 'LICENSE-01', 'LICENSE-02', 'RESTART-01'].map(outcome)).toEqual([
      'inconclusive',
      'inconclusive',
      'pass',
      'inconclusive',
    ]);
  });

  it('is judged without the transcript that was being written when it died', async () => {
    const { folder, evidence } = await storeGreenRun(parent.path);
    await appendFile(path.join(folder.path, 'witness/client.jsonl'), '{"id":"torn');
    const stored = await readStoredRun(folder.path);
    expect(stored.evidence.client).toHaveLength(evidence.client.length);
  });

  it('is refused where a line of a witness is damaged, and the line is named', async () => {
    const { folder, evidence } = await storeGreenRun(parent.path);
    await appendFile(path.join(folder.path, 'witness/upstream.jsonl'), '{"id":"odd"}\n');
    await expect(readStoredRun(folder.path)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(`line ${evidence.upstream.length + 1} of witness/upstream.jsonl`),
    });
  });

  it('is refused where there is none', async () => {
    await expect(readStoredRun(parent.path)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('the events of a stored run', () => {
  const eventsOf = async () => {
    const { folder } = await storeGreenRun(parent.path);
    const file = path.join(folder.path, 'events.jsonl');
    return { file, folder, text: await readFile(file, 'utf8') };
  };

  it('may end in a line that a death tore, and go on behind it where the run was resumed', async () => {
    const { file, folder, text } = await eventsOf();
    await writeFile(file, `${text}{"type":"probe_sta`);
    expect((await readStoredRun(folder.path)).lost).toEqual([]);
    openRunFolder(folder.path).append({ type: 'resumed', at: 1, after: 0 });
    expect((await readStoredRun(folder.path)).events.at(-1)).toMatchObject({ type: 'resumed' });
  });

  it('are not judged without one that is damaged', async () => {
    const { file, folder, text } = await eventsOf();
    await writeFile(file, text.replace('"probe_ended"', '"probe_endet"'));
    await expect(readStoredRun(folder.path)).rejects.toThrow(/line \d+ of .*events\.jsonl is damaged/);
  });
});
