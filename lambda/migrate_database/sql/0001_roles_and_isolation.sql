-- Who there is. Nobody here is a superuser or may look past row-level security, and nobody has a password.
DO $$
DECLARE wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['tables_owner', 'application', 'reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I NOINHERIT', wanted);
    END IF;
  END LOOP;
END $$;
ALTER ROLE application LOGIN;
ALTER ROLE reader LOGIN;
-- A role that has rds_iam signs in with an IAM token and in no other way.
GRANT rds_iam TO application, reader;
GRANT tables_owner TO CURRENT_USER;

DO $$
BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO application, reader', current_database());
END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA app AUTHORIZATION tables_owner;
GRANT USAGE ON SCHEMA app TO application, reader;
ALTER ROLE application SET search_path = app;
ALTER ROLE reader SET search_path = app;
-- A statement that row-level security would have to be skipped for fails instead.
ALTER ROLE application SET row_security = on;
ALTER ROLE reader SET row_security = on;
ALTER ROLE reader SET default_transaction_read_only = on;

SET LOCAL ROLE tables_owner;
-- What is made from here on is nobody's until it is granted; functions would otherwise be everybody's.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- The tenant of this transaction; none outside one, and then no row is seen.
CREATE FUNCTION app.tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('palisade.tenant', true), '') $$;
GRANT EXECUTE ON FUNCTION app.tenant() TO application, reader;

-- Call this for every table, right after making it. FORCE binds the table's owner too.
CREATE PROCEDURE app.isolate(relation regclass) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
  EXECUTE format('CREATE POLICY tenant_only ON %s AS RESTRICTIVE TO PUBLIC USING (tenant = app.tenant()) '
                 'WITH CHECK (tenant = app.tenant())', relation);
  EXECUTE format('CREATE POLICY tenant_rows ON %s TO PUBLIC USING (tenant = app.tenant()) '
                 'WITH CHECK (tenant = app.tenant())', relation);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO application', relation);
  EXECUTE format('GRANT SELECT ON %s TO reader', relation);
END $$;
RESET ROLE;

-- Schema changes are written down only where the extension is there, as it is in RDS.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pgaudit') THEN
    CREATE EXTENSION IF NOT EXISTS pgaudit;
  END IF;
END $$;
