/* srv-account-schema.c - the tables of the store, version by version
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A step that was ever released stays as it is: a change of the schema is one
 * more step.
 */

#include "config.h"

#include "srv-account-store-private.h"

const char *const srv_account_migrations[] = {
  "CREATE TABLE accounts ("
  "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
  "  key TEXT NOT NULL UNIQUE,"
  "  name TEXT NOT NULL,"
  "  hash TEXT NOT NULL,"
  "  banned INTEGER NOT NULL DEFAULT 0,"
  "  created INTEGER NOT NULL,"
  "  last_login INTEGER NOT NULL DEFAULT 0) STRICT;"
  "CREATE TABLE sessions ("
  "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
  "  account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,"
  "  token BLOB NOT NULL UNIQUE,"
  "  address TEXT NOT NULL,"
  "  created INTEGER NOT NULL,"
  "  last_used INTEGER NOT NULL,"
  "  expires INTEGER NOT NULL) STRICT;"
  "CREATE INDEX sessions_account ON sessions (account);"
  "CREATE TABLE attempts ("
  "  key TEXT PRIMARY KEY,"
  "  failures INTEGER NOT NULL,"
  "  last INTEGER NOT NULL,"
  "  until INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
  "CREATE INDEX attempts_last ON attempts (last);"
  "CREATE TABLE identities ("
  "  address TEXT PRIMARY KEY,"
  "  name TEXT NOT NULL,"
  "  seen INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
  "CREATE INDEX identities_seen ON identities (seen);",

  "CREATE TABLE offline ("
  "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
  "  account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,"
  "  time INTEGER NOT NULL,"
  "  sender TEXT NOT NULL,"
  "  recipient TEXT NOT NULL,"
  "  text TEXT NOT NULL,"
  "  extra TEXT) STRICT;"
  "CREATE INDEX offline_account ON offline (account, id);"
  "CREATE TABLE history ("
  "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
  "  room TEXT NOT NULL,"
  "  time INTEGER NOT NULL,"
  "  sender TEXT NOT NULL,"
  "  recipient TEXT NOT NULL,"
  "  text TEXT NOT NULL,"
  "  extra TEXT) STRICT;"
  "CREATE INDEX history_room ON history (room, id);",

  "CREATE TABLE contacts ("
  "  owner INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,"
  "  contact INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,"
  "  PRIMARY KEY (owner, contact)) STRICT, WITHOUT ROWID;"
  "CREATE INDEX contacts_contact ON contacts (contact);",

  NULL,
};
