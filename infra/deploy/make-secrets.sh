#!/bin/sh
# Writes .env with fresh secrets, once: what the databases were made with cannot be changed by writing it anew.
set -eu
cd "$(dirname "$0")"
if [ -e .env ]; then echo '.env is there already; it stays as it is' >&2; exit 0; fi
umask 077
secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
{
  echo "POSTGRES_PASSWORD=$(secret)"
  echo "SPICEDB_KEY=$(secret)"
  echo "ROOMS_TOKEN=$(secret)"
} > .env
