import type { Check, Finding, Violation } from '../check.ts';
import type { Crash, Evidence } from '../evidence.ts';

const NOT_KILLED = 'the run killed nothing';

/** What the store may lack after a kill: what it had not yet had the time to commit (contract, section 8), milliseconds. */
const FLUSH_MS = 200;
/** For the batch under way to be on disk: the storing thread shares the machine with the load. */
const COMMIT_MS = 100;

const survives: Check = {
  id: 'PERSIST-01',
  title:
    'After each kill -9 the store was sound, counted nothing twice, and lacked nothing older than a flush and its commit, 300 ms',
  // Kills amid load.
  least: 1,
  needs: ['proxy'],
  judge: (evidence) =>
    overCrashes(evidence, (crash, where) => {
      const { integrity, missing, doubled, killedAt } = crash;
      // What an earlier kill took is missing until the log is imported; that it is there in the end is for STORE-01.
      const kills = evidence.crashes.map((one) => one.killedAt).filter((time) => time <= killedAt);
      const lost = missing.filter(({ ts }) => !kills.some((time) => isTooYoung(ts, time)));
      return [
        ...(integrity === 'ok'
          ? []
          : [
              {
                what: `${where}: the store is damaged`,
                expected: 'ok',
                saw: { integrity_check: integrity ?? 'cannot be opened' },
                pointers: ['witness/crashes.jsonl'],
              },
            ]),
        ...(lost.length === 0
          ? []
          : [
              {
                what: `${where}: ${lost.length} rows are missing that had had time enough`,
                expected: `all that ended more than ${FLUSH_MS + COMMIT_MS} ms before the kill`,
                pointers: lost.map(({ rid }) => `rid:${rid}`),
              },
            ]),
        ...doubled.map((what) => ({
          what: `${where}: the store counts twice: ${what}`,
          pointers: ['witness/crashes.jsonl'],
        })),
      ];
    }),
};

const isTooYoung = (ts: number, killedAt: number): boolean =>
  ts >= killedAt - FLUSH_MS - COMMIT_MS && ts <= killedAt + COMMIT_MS;

const logged: Check = {
  id: 'PERSIST-02',
  title: 'Every answer after which a client had another one before a kill -9 is in the log',
  least: 1,
  needs: ['proxy'],
  judge: (evidence) => {
    const finding = overCrashes(evidence, ({ unlogged }, where) =>
      unlogged.map((id) => ({
        what: `${where}: the log does not know of an answer that a client had`,
        pointers: [`client_request_id:${id}`],
      })),
    );
    // Of the round with the fewest: each kill must have had something to lose.
    const acknowledged = loaded(evidence).map((crash) => crash.acknowledged);
    return { ...finding, observed: finding.observed === 0 ? 0 : Math.min(...acknowledged) };
  },
};

const rebuilt: Check = {
  id: 'PERSIST-03',
  title: 'After each restart the quotas were rebuilt: as much was used as the store has rows for',
  least: 1,
  needs: ['proxy'],
  judge: (evidence) =>
    overCrashes(evidence, (crash, where) => {
      if (crash.rebuilt === null) return [];
      const { said, counted } = crash.rebuilt;
      if (said === counted) return [];
      const saw = { '/v1/quotas': said === null ? 'nothing' : String(said) };
      return [
        {
          what: `${where}: the quota was not rebuilt`,
          expected: String(counted),
          saw,
          pointers: ['/v1/quotas'],
        },
      ];
    }),
};

/** Shorter than this a life is still warming up: what it grows by says something only where it is out of all proportion. */
const JUDGED_MS = 60_000;
const MOST_MB_PER_MINUTE = 5;
const MOST_FILES_PER_MINUTE = 5;
/** By how much a life may grow while it warms up; a second of load is some hundred exchanges. */
const MOST_MB = 40;
const MOST_FILES = 40;

const slopes: Check = {
  id: 'PERSIST-04',
  title:
    'Memory and open files could be read in each life, and did not climb, least of all with each exchange',
  least: 1,
  needs: ['proxy'],
  judge: (evidence) => {
    const finding = overCrashes(evidence, ({ slopes: taken }, where) => {
      if (taken === null)
        return [
          { what: `${where}: memory and open files could not be read`, pointers: ['witness/crashes.jsonl'] },
        ];
      return climbs(taken)
        ? [{ what: `${where}: it climbs: ${inWords(taken)}`, pointers: ['witness/crashes.jsonl'] }]
        : [];
    });
    const last = evidence.crashes.at(-1)?.slopes;
    return last && finding.note === undefined
      ? { ...finding, note: `the last life: ${inWords(last)}` }
      : finding;
  },
};

type Taken = NonNullable<Crash['slopes']>;

function climbs({ ms, rssMbPerMinute, filesPerMinute }: Taken): boolean {
  if (ms >= JUDGED_MS) return rssMbPerMinute > MOST_MB_PER_MINUTE || filesPerMinute > MOST_FILES_PER_MINUTE;
  const minutes = ms / 60_000;
  return rssMbPerMinute * minutes > MOST_MB || filesPerMinute * minutes > MOST_FILES;
}

function inWords({ rssMb, rssMbPerMinute, files, filesPerMinute, ms }: Taken): string {
  const level = `${rssMb.toFixed(0)} MB, ${files} open files`;
  const minutes = ms < JUDGED_MS ? ms / 60_000 : 1;
  const [memory, open] = [rssMbPerMinute, filesPerMinute].map((slope) => (slope * minutes).toFixed(1));
  const span = ms < JUDGED_MS ? `in ${(ms / 1000).toFixed(1)} s, too short for a slope` : 'a minute';
  return `${level}; ${memory} MB and ${open} files ${span}`;
}

const answered: Check = {
  id: 'PERSIST-05',
  title:
    'Up to each kill -9 clients were answered as often as makes a load, each time whole and with status 200',
  least: 1,
  needs: ['proxy'],
  judge: (evidence) => {
    const finding = overCrashes(evidence, ({ load }, where) =>
      (load?.bad ?? []).map(({ id, what }) => ({
        what: `${where}: an answer was none: ${what}`,
        expected: 'status 200, and an end',
        pointers: [`client_request_id:${id}`],
      })),
    );
    const answers = loaded(evidence).map(({ load }) => load.answered);
    return { ...finding, observed: finding.observed === 0 ? 0 : Math.min(...answers) };
  },
};

const soundToOthers: Check = {
  id: 'PERSIST-06',
  title: 'After each kill -9 the sqlite3 command line found the store sound',
  least: 1,
  needs: ['proxy'],
  judge: (evidence) => {
    const why = evidence.crashes.flatMap(({ shell }) => ('missing' in shell ? [shell.missing] : []))[0];
    const finding = overCrashes(evidence, ({ shell }, where) =>
      'said' in shell && shell.said !== 'ok'
        ? [
            {
              what: `${where}: sqlite3 found the store damaged`,
              expected: 'ok',
              saw: { integrity_check: shell.said },
              pointers: ['witness/crashes.jsonl'],
            },
          ]
        : [],
    );
    return why === undefined ? finding : { ...finding, skipped: why };
  },
};

type Loaded = Crash & { readonly load: NonNullable<Crash['load']> };

const loaded = ({ crashes }: Pick<Evidence, 'crashes'>): Loaded[] =>
  crashes.filter((crash): crash is Loaded => crash.load !== null);

/** Counts the kills amid load. One that was not amid it makes all of them thin evidence: it was to be one of them. */
function overCrashes(
  evidence: Pick<Evidence, 'crashes'>,
  judge: (crash: Crash, where: string) => readonly Violation[],
): Finding {
  const { crashes } = evidence;
  const all = loaded(evidence);
  const thin = all.find(({ load }) => load.answered < load.least);
  return {
    observed: thin === undefined ? all.length : 0,
    violations: crashes.flatMap((crash, index) => judge(crash, `kill ${index + 1}`)),
    ...(crashes.length === 0 && { skipped: NOT_KILLED }),
    ...(thin !== undefined && {
      note: `before kill ${crashes.indexOf(thin) + 1} clients had ${thin.load.answered} answers, and ${thin.load.least} make a load`,
    }),
  };
}

export const PERSIST_CHECKS: readonly Check[] = [survives, logged, rebuilt, slopes, answered, soundToOthers];
