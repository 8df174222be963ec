-- A sample to copy: a tenant's matters and their notes. Every key begins with the tenant, so that neither a duplicate nor a
-- reference can tell of another tenant's rows.
SET LOCAL ROLE tables_owner;
CREATE TABLE app.matters (
  tenant text NOT NULL DEFAULT app.tenant() CHECK (tenant ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  reference text NOT NULL,
  title text NOT NULL,
  PRIMARY KEY (tenant, id),
  UNIQUE (tenant, reference)
);
CALL app.isolate('app.matters');

CREATE TABLE app.notes (
  tenant text NOT NULL DEFAULT app.tenant(),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  matter uuid NOT NULL,
  body text NOT NULL,
  PRIMARY KEY (tenant, id),
  FOREIGN KEY (tenant, matter) REFERENCES app.matters (tenant, id) ON DELETE CASCADE
);
CALL app.isolate('app.notes');
