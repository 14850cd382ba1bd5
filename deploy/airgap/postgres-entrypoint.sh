#!/bin/bash
# Creates the database at the first start, with the variables of the official image, and then runs the server:
# POSTGRES_USER, POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE, POSTGRES_DB, /docker-entrypoint-initdb.d/*.sh and *.sql.
set -euo pipefail

make_database() {
  local user=${POSTGRES_USER:-postgres}
  export POSTGRES_USER=$user POSTGRES_DB=${POSTGRES_DB:-$user}
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then POSTGRES_PASSWORD=$(<"$POSTGRES_PASSWORD_FILE"); fi
  if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo "Neither POSTGRES_PASSWORD nor POSTGRES_PASSWORD_FILE is set: a database needs a password." >&2
    exit 1
  fi
  # created in a temporary folder and then moved, so that an interrupted first start is repeated
  rm -rf "$PGDATA"/.making; mkdir "$PGDATA"/.making
  initdb -D "$PGDATA"/.making -U "$user" -A scram-sha-256 --auth-local=trust --pwfile=<(printf %s "$POSTGRES_PASSWORD") >/dev/null
  echo "host all all all scram-sha-256" >> "$PGDATA"/.making/pg_hba.conf
  echo "listen_addresses = '*'" >> "$PGDATA"/.making/postgresql.conf
  pg_ctl -D "$PGDATA"/.making -o "-c listen_addresses=''" -w start >/dev/null
  if [ "$POSTGRES_DB" != postgres ]; then
    psql -v ON_ERROR_STOP=1 -U "$user" -d postgres -qc "CREATE DATABASE \"$POSTGRES_DB\""
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh) . "$file" ;;
      *.sql) psql -v ON_ERROR_STOP=1 -U "$user" -d "$POSTGRES_DB" -qf "$file" ;;
    esac
  done
  pg_ctl -D "$PGDATA"/.making -m fast -w stop >/dev/null
  mv "$PGDATA"/.making/PG_VERSION "$PGDATA"/.version
  mv "$PGDATA"/.making/* "$PGDATA"/
  mv "$PGDATA"/.version "$PGDATA"/PG_VERSION
  rmdir "$PGDATA"/.making
}

if [ "${1:-postgres}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then make_database; fi
exec "$@"
