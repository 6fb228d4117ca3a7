#!/usr/bin/env bash
# Creates the database and the three logins of Vigie in a new PostgreSQL (docker-compose.yml runs it once, as the
# superuser): an owner who migrates and is not a superuser, and the two logins for the pools. docs/operations.md has the
# same statements for any PostgreSQL.
set -euo pipefail

psql --variable=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --variable=owner_password="$VIGIE_OWNER_PASSWORD" \
  --variable=app_password="$VIGIE_APP_PASSWORD" \
  --variable=system_password="$VIGIE_SYSTEM_PASSWORD" <<'SQL'
CREATE ROLE vigie_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE vigie_app LOGIN NOINHERIT PASSWORD :'app_password';
CREATE ROLE vigie_system LOGIN NOINHERIT PASSWORD :'system_password';
CREATE DATABASE vigie OWNER vigie_owner ENCODING 'UTF8' TEMPLATE template0;
SQL
