"""What is wrong with a schema's isolation, asked of PostgreSQL's own catalogue and not of the migrations."""

from collections.abc import Iterator
from typing import Any

_TABLES = """
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND a.attnotnull),
       (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive AND p.polcmd = '*'
          AND 0 = ANY (p.polroles)
          AND pg_get_expr(p.polqual, c.oid) = '(tenant = app.tenant())'
          AND pg_get_expr(p.polwithcheck, c.oid) = '(tenant = app.tenant())'),
       pg_get_userbyid(c.relowner)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'app' AND c.relkind IN ('r', 'p') ORDER BY 1
"""
_UNIQUE = """
SELECT i.indexrelid::regclass::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'app' AND i.indisunique
  AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND a.attnum = ANY (i.indkey))
"""
_REFERENCES = """
SELECT k.conrelid::regclass::text || '.' || k.conname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'app' AND k.contype = 'f'
  AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND a.attnum = ANY (k.conkey))
"""
_OPEN = """
SELECT c.relname, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'app' AND c.relkind IN ('v', 'm', 'f')
  AND NOT (c.relkind = 'v' AND 'security_invoker=true' = ANY (coalesce(c.reloptions, ARRAY[]::text[])))
"""
_DEFINERS = """
SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'app' AND p.prosecdef
"""
_POWERS = """
SELECT rolname FROM pg_roles
WHERE rolname = ANY (ARRAY['tables_owner', 'application', 'reader', 'eraser'])
  AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
"""
_MEMBERS = """
SELECT m.rolname || ' in ' || r.rolname FROM pg_auth_members a
JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
WHERE m.rolname = ANY (ARRAY['application', 'reader', 'eraser']) AND r.rolname <> 'rds_iam'
"""
_TRUNCATE = """
SELECT grantee || ' on ' || table_name FROM information_schema.role_table_grants
WHERE table_schema = 'app' AND grantee IN ('application', 'reader', 'eraser', 'PUBLIC')
  AND (privilege_type IN ('TRUNCATE', 'REFERENCES', 'TRIGGER') OR grantee = 'PUBLIC'
       OR (grantee = 'eraser' AND privilege_type NOT IN ('SELECT', 'DELETE')))
"""
_KEPT = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'app' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND NOT (has_table_privilege('eraser', c.oid, 'SELECT') AND has_table_privilege('eraser', c.oid, 'DELETE'))
"""


def problems(connection: Any) -> Iterator[str]:
    """One sentence for each way in which a row could be reached or guessed by another tenant."""
    for name, enabled, forced, has_tenant, policies, owner in connection.run(_TABLES):
        if not has_tenant:
            yield f"table {name} has no tenant column that is never null"
        if not enabled or not forced:
            yield f"table {name} does not force row-level security"
        if not policies:
            yield f"table {name} has no restrictive policy for its tenant"
        if owner != "tables_owner":
            yield f"table {name} belongs to {owner}"
    for says, query in (
        ("unique index {} leaves the tenant out, so a duplicate tells of another tenant's row", _UNIQUE),
        ("foreign key {} leaves the tenant out, so a reference tells of another tenant's row", _REFERENCES),
        ("{} is a view that runs as its owner, or a materialized view or foreign table, which no policy guards", _OPEN),
        ("function {} runs as its owner", _DEFINERS),
        ("role {} has a power that looks past policies", _POWERS),
        ("role {} lends its holder another role's rights", _MEMBERS),
        ("a right beyond rows is granted: {}", _TRUNCATE),
        ("table {} would outlive its tenant: the eraser may not empty it", _KEPT),
    ):
        for row in connection.run(query):
            yield says.format(row[0])
