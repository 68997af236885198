#!/bin/sh
# Writes .env and secrets/ with fresh secrets, once: what the databases were made with cannot be changed by writing it anew.
set -eu
cd "$(dirname "$0")"
if [ -e .env ]; then echo '.env is there already; it stays as it is' >&2; exit 0; fi
umask 077
secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
{
  echo "POSTGRES_PASSWORD=$(secret)"
  echo "SPICEDB_KEY=$(secret)"
} > .env
# The rooms run as a user of their own (10001), so the file is readable to others and its folder is not.
mkdir -p secrets
secret > secrets/rooms.token
chmod 444 secrets/rooms.token
