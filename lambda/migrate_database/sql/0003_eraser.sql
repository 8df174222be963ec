-- Who deletes a tenant that has left: one tenant at a time, as policies have it, and nothing but deleting.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'eraser') THEN
    CREATE ROLE eraser NOINHERIT;
  END IF;
END $$;
ALTER ROLE eraser LOGIN;
GRANT rds_iam TO eraser;
DO $$
BEGIN
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO eraser', current_database());
END $$;
GRANT USAGE ON SCHEMA app TO eraser;
ALTER ROLE eraser SET search_path = app;
ALTER ROLE eraser SET row_security = on;

SET LOCAL ROLE tables_owner;
GRANT EXECUTE ON FUNCTION app.tenant() TO eraser;
GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA app TO eraser;

-- As before, and for the eraser too.
CREATE OR REPLACE PROCEDURE app.isolate(relation regclass) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', relation);
  EXECUTE format('CREATE POLICY tenant_only ON %s AS RESTRICTIVE TO PUBLIC USING (tenant = app.tenant()) '
                 'WITH CHECK (tenant = app.tenant())', relation);
  EXECUTE format('CREATE POLICY tenant_rows ON %s TO PUBLIC USING (tenant = app.tenant()) '
                 'WITH CHECK (tenant = app.tenant())', relation);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO application', relation);
  EXECUTE format('GRANT SELECT ON %s TO reader', relation);
  EXECUTE format('GRANT SELECT, DELETE ON %s TO eraser', relation);
END $$;
