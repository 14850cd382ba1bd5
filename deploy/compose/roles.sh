# Runs once, when the database is created: creates its roles and their rights.
psql -v ON_ERROR_STOP=1 -qU "$POSTGRES_USER" -d "$POSTGRES_DB" -v service="$SERVICE" \
  -v migrator_password="$(cat /run/co/migrator.password)" -v service_password="$(cat /run/co/service.password)" <<'SQL'
CREATE ROLE migrator LOGIN PASSWORD :'migrator_password';
CREATE ROLE :"service" LOGIN PASSWORD :'service_password';
\i /etc/co/rights.sql
SQL
