/** For tests of what follows when somebody alters a record: no part of the store. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Changes `folder/audit.sqlite` as an administrator would who takes the triggers away first. */
export const alterFile = (folder: string, statements: readonly string[]): void => {
  const database = new DatabaseSync(join(folder, 'audit.sqlite'));
  const triggers = database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all();
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`);
  for (const statement of statements) database.exec(statement);
  database.close();
};
