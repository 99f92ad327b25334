import type Database from 'better-sqlite3';
import { OperatorError } from '../../errors.ts';
import { meter } from './0001-meter.ts';
import { servedModel } from './0002-served-model.ts';
import { daysOfIds } from './0003-days-of-ids.ts';
import { uncounted } from './0004-uncounted.ts';

/** In the order of their numbers, from 1; the number of the last is the version of the schema. */
export const MIGRATIONS: readonly string[] = [meter, servedModel, daysOfIds, uncounted];

/** Marks a file as ours, so that no other program's database gets tables of ours: "ccpm". */
export const APPLICATION_ID = 0x6363706d;

/** The version of the schema in a file; 0 for one that is empty. Throws `CONFIG` for another program's database. */
export function schemaVersion(db: Database.Database): number {
  const version = db
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'")
    .pluck();
  const tables = db.prepare<[], number>('SELECT count(*) FROM sqlite_schema').pluck().get() ?? 0;
  if (tables > 0 && (db.pragma('application_id', { simple: true }) !== APPLICATION_ID || !version.get())) {
    throw new OperatorError('CONFIG', `${db.name} is a database of another program`, {
      hint: 'Name a file of its own with CCP_DB_PATH; this one was left as it is.',
    });
  }
  return tables === 0
    ? 0
    : (db.prepare<[], number>('SELECT max(version) FROM schema_version').pluck().get() ?? 0);
}

/**
 * Brings a file to the newest schema, each step in a transaction of its own, safe beside another process that does
 * the same. Throws `CONFIG` for a file of a newer ccp, which is left as it is.
 */
export function migrate(db: Database.Database, migrations: readonly string[] = MIGRATIONS): void {
  for (;;) {
    const found = schemaVersion(db);
    refuseNewer(db, found, migrations.length);
    if (found === migrations.length) return;
    db.transaction(() => {
      // Asked again under the lock: somebody else may have been faster.
      const version = schemaVersion(db);
      const step = migrations[version];
      if (step === undefined) return;
      if (version === 0) {
        db.pragma(`application_id = ${APPLICATION_ID}`);
        db.exec('CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT');
      }
      db.exec(step);
      db.prepare("INSERT INTO schema_version VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ'))").run(version + 1);
    }).immediate();
  }
}

/** Throws `CONFIG` for the file of another program or of a newer ccp, before anything is written to it. */
export function mustBeKnown(db: Database.Database): void {
  refuseNewer(db, schemaVersion(db), MIGRATIONS.length);
}

/** Throws `CONFIG` where the schema is not the one that this ccp reads, `NOT_READY` for an empty file. */
export function mustBeCurrent(db: Database.Database): void {
  const found = schemaVersion(db);
  refuseNewer(db, found, MIGRATIONS.length);
  if (found === 0) {
    throw new OperatorError('NOT_READY', `${db.name} is empty: no store was begun in it yet`, {
      hint: '"ccp serve" begins one in it.',
    });
  }
  if (found < MIGRATIONS.length) {
    throw new OperatorError(
      'CONFIG',
      `${db.name} has schema ${found}, and this ccp reads ${MIGRATIONS.length}`,
      {
        hint: 'Start "ccp serve" on it once: it brings the file up to date.',
      },
    );
  }
}

function refuseNewer(db: Database.Database, found: number, known: number): void {
  if (found <= known) return;
  throw new OperatorError(
    'CONFIG',
    `${db.name} was written by a newer ccp (schema ${found}, known is ${known})`,
    {
      hint: 'Update ccp, or name another file with CCP_DB_PATH; this one was left as it is.',
    },
  );
}
