"""Each table reads the lines that its service is documented to write, and each query asks for columns that exist."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from palisade.archive import CDN_LOG_FIELDS, FLOW_LOG_FIELDS, FLOW_LOG_FORMAT, log_table, named_query
from palisade.archive.log_table import LogTable
from palisade.archive.named_query import NamedQuery

ACCOUNT, REGION, BUCKET = "200000000002", "eu-central-1", "acme-prod-x-100000000002"
PLACE = {"bucket": BUCKET, "account": ACCOUNT, "days": 90}

TRAIL = log_table.trail_table(
    name="trail", bucket=BUCKET, below="o-fixture1234/", accounts=[ACCOUNT], regions=[REGION], days=400
)
FLOW = log_table.flow_table(name="flow_prod", bucket=BUCKET, account=ACCOUNT, region=REGION, days=90)
WAF = log_table.waf_table(name="waf_prod", bucket=BUCKET, account=ACCOUNT, scope=REGION, acl="acme-prod", days=90)
BALANCER, CONNECTIONS = log_table.balancer_tables(suffix="prod", bucket=BUCKET, account=ACCOUNT, region=REGION, days=90)
RESOLVER = log_table.resolver_table(name="resolver_prod", bucket=BUCKET, account=ACCOUNT)
FIREWALL = log_table.firewall_table(name="firewall_prod", bucket=BUCKET, account=ACCOUNT)
CDN = log_table.cdn_table(name="cdn_prod", bucket=BUCKET, account=ACCOUNT, days=90)
AUDIT = log_table.audit_table(name="audit_prod", bucket=BUCKET, account=ACCOUNT, days=400)
TABLES = [TRAIL, FLOW, WAF, BALANCER, CONNECTIONS, RESOLVER, FIREWALL, CDN, AUDIT]
QUERIES: list[tuple[LogTable, list[NamedQuery]]] = [
    (TRAIL, named_query.trail_queries(TRAIL.name)),
    (FLOW, named_query.flow_queries(FLOW.name)),
    (WAF, named_query.waf_queries(WAF.name)),
    (BALANCER, named_query.balancer_queries(BALANCER.name)),
    (CONNECTIONS, named_query.connection_queries(CONNECTIONS.name)),
    (RESOLVER, named_query.resolver_queries(RESOLVER.name)),
    (FIREWALL, named_query.firewall_queries(FIREWALL.name)),
    (CDN, named_query.cdn_queries(CDN.name)),
    (AUDIT, named_query.audit_queries(AUDIT.name)),
]

# ---------------------------------------------------------------------------------------------- a small reader of Hive


def _parts(text: str) -> list[str]:
    """Split at commas that are not inside angle brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "<") - (character == ">")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _fields(kind: str) -> dict[str, str]:
    """Fields of ``struct<...>``."""
    return dict(part.split(":", 1) for part in _parts(kind.removeprefix("struct<")[:-1]))


def _read(kind: str, value: Any) -> Any:
    """Convert a JSON value to a Hive type as a JSON SerDe does; a field that the type does not know is an error here."""
    if value is None:
        return None
    if kind.startswith("struct<"):
        fields = _fields(kind)
        unknown = {key.lower() for key in value} - set(fields)
        assert not unknown, f"{unknown} not in {kind}"
        return {key.lower(): _read(fields[key.lower()], item) for key, item in value.items()}
    if kind.startswith("array<"):
        return [_read(kind[6:-1], item) for item in value]
    if kind.startswith("map<"):
        return dict(value)
    if kind in {"int", "bigint"}:
        number = int(value)
        assert abs(number) < (2**31 if kind == "int" else 2**63), f"{value} does not fit {kind}"
        return number
    return float(value) if kind == "double" else value if isinstance(value, str) else json.dumps(value)


def _json_row(table: LogTable, line: str) -> dict[str, Any]:
    types = {column.name: column.type for column in table.columns}
    mapped = {
        original: key.removeprefix("mapping.")
        for key, original in table.serde_parameters.items()
        if key.startswith("mapping.")
    }
    row = {}
    for key, value in json.loads(line).items():
        column = mapped.get(key, key if mapped else key.lower())
        assert column in types, f"{table.name} has no column for {key}"
        row[column] = _read(types[column], value)
    return row


def _regex_row(table: LogTable, line: str) -> dict[str, Any] | None:
    """As Hive's RegexSerDe: the whole line must match, one group for each column, else every column is null."""
    match = re.fullmatch(table.serde_parameters["input.regex"], line)
    if match is None:
        return None
    assert len(match.groups()) == len(table.columns)
    return {
        column.name: None if text in {"", None} else _read(column.type, text)
        for column, text in zip(table.columns, match.groups(), strict=True)
    }


# ---------------------------------------------------------------------------------------------- documented sample lines

CLOUDTRAIL_EVENT = {
    "eventVersion": "1.09",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AROAEXAMPLE:alice",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/alice",
        "accountId": ACCOUNT,
        "accessKeyId": "ASIAEXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLE",
                "arn": f"arn:aws:iam::{ACCOUNT}:role/Admin",
                "accountId": ACCOUNT,
                "userName": "Admin",
            },
            "webIdFederationData": {"federatedProvider": "p", "attributes": {"a": "b"}},
            "attributes": {"creationDate": "2026-01-02T03:04:05Z", "mfaAuthenticated": "false"},
            "ec2RoleDelivery": "2.0",
        },
    },
    "eventTime": "2026-01-02T03:04:05Z",
    "eventSource": "ec2.amazonaws.com",
    "eventName": "AuthorizeSecurityGroupIngress",
    "awsRegion": REGION,
    "sourceIPAddress": "203.0.113.7",
    "userAgent": "console",
    "errorCode": "Client.UnauthorizedOperation",
    "errorMessage": "no",
    "requestParameters": {"groupId": "sg-1"},
    "responseElements": None,
    "additionalEventData": {"MFAUsed": "No"},
    "requestID": "r",
    "eventID": "e",
    "readOnly": False,
    "resources": [{"ARN": "arn:aws:s3:::b", "accountId": ACCOUNT, "type": "AWS::S3::Bucket"}],
    "eventType": "AwsApiCall",
    "managementEvent": True,
    "recipientAccountId": ACCOUNT,
    "eventCategory": "Management",
    "sessionCredentialFromConsole": "true",
    "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "c", "clientProvidedHostHeader": "h"},
}

FLOW_LINE = (
    "7 200000000002 eni-0a1b 10.128.0.9 203.0.113.7 43418 443 6 12 4321 1767322800 1767322860 ACCEPT OK vpc-1 subnet-1 "
    "i-0abc 19 IPv4 10.128.0.9 203.0.113.7 eu-central-1 euc1-az2 - S3 egress 8"
)
NO_DATA_LINE = "7 200000000002 eni-0a1b - - - - - - - 1767322800 1767322860 - NODATA" + " -" * 13

WAF_EVENT = {
    "timestamp": 1767322800123,
    "formatVersion": 1,
    "webaclId": f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/acme-prod/1",
    "terminatingRuleId": "SqlInjection",
    "terminatingRuleType": "MANAGED_RULE_GROUP",
    "action": "BLOCK",
    "terminatingRuleMatchDetails": [
        {"conditionType": "SQL_INJECTION", "sensitivityLevel": "HIGH", "location": "BODY", "matchedData": ["1", "OR"]}
    ],
    "httpSourceName": "ALB",
    "httpSourceId": "200000000002-app/acme/1",
    "ruleGroupList": [
        {
            "ruleGroupId": "AWS#AWSManagedRulesSQLiRuleSet",
            "terminatingRule": {"ruleId": "SQLi_BODY", "action": "BLOCK", "ruleMatchDetails": None},
            "nonTerminatingMatchingRules": [],
        }
    ],
    "rateBasedRuleList": [
        {"rateBasedRuleId": "r", "rateBasedRuleName": "n", "limitKey": "IP", "maxRateAllowed": 100,
         "evaluationWindowSec": "300"}
    ],
    "nonTerminatingMatchingRules": [{"ruleId": "x", "action": "COUNT", "ruleMatchDetails": []}],
    "requestHeadersInserted": None,
    "responseCodeSent": None,
    "httpRequest": {
        "clientIp": "203.0.113.7",
        "country": "FR",
        "headers": [{"name": "host", "value": "acme.example"}],
        "uri": "/login",
        "args": "",
        "httpVersion": "HTTP/2.0",
        "httpMethod": "POST",
        "requestId": "1-abc",
        "fragment": "",
        "scheme": "https",
        "host": "acme.example",
    },
    "labels": [{"name": "awswaf:managed:aws:sql-database:SQLi_Body"}],
    "ja3Fingerprint": "0",
    "ja4Fingerprint": "t13d",
    "requestBodySize": 42,
    "requestBodySizeInspectedByWAF": 42,
}  # fmt: skip

BALANCER_LINE = (
    "https 2026-01-02T03:04:05.186641Z app/acme-prod/50dc6c495c0c9188 203.0.113.7:2817 10.128.0.1:8443 0.086 0.048 0.037 "
    '502 - 0 57 "GET https://origin.acme.example:443/a?b=c HTTP/1.1" "curl/8.5.0 (x; y)" TLS_AES_128_GCM_SHA256 TLSv1.3 '
    f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/acme/73e2d6bc24d8a067 "
    '"Root=1-58337281-1d84f3d73c47ec4e58577259" "origin.acme.example" '
    f'"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/1" 1 2026-01-02T03:04:05.364000Z "waf,forward" "-" "-" '
    '"10.128.0.1:8443" "-" "-" "-" TID_1234abcd5678ef90 "-" "-" "-"'
)
REFUSED_LINE = (
    "h2 2026-01-02T03:04:05.186641Z app/acme-prod/50dc6c495c0c9188 203.0.113.7:2817 - -1 -1 -1 400 - 0 57 "
    '"- https://origin.acme.example:443- -" "-" - - - "-" "-" "-" - 2026-01-02T03:04:05.364000Z "-" "-" "-" "-" "-" "-" "-"'
)
CONNECTION_LINE = (
    "2026-01-02T03:04:05.514108Z 203.0.113.1 36280 443 TLSv1.3 TLS_AES_128_GCM_SHA256 4.036 "
    '"CN=client,O=Example" NotBefore=2025-09-21T22:43:21Z;NotAfter=2026-09-21T22:43:21Z FEF257372D5C14D4 Success '
    "TID_3180a73013c8ca4bac2f731159d4b0fe"
)
PLAIN_CONNECTION_LINE = "2026-01-02T03:04:05.514108Z 203.0.113.1 36280 80 - - - - - - - TID_1"

RESOLVER_EVENT = {
    "version": "1.100000",
    "account_id": ACCOUNT,
    "region": REGION,
    "vpc_id": "vpc-1",
    "query_timestamp": "2026-01-02T03:04:05Z",
    "query_name": "bad.example.",
    "query_type": "A",
    "query_class": "IN",
    "rcode": "NXDOMAIN",
    "answers": [{"Rdata": "203.0.113.9", "Type": "A", "Class": "IN"}],
    "srcaddr": "10.128.0.9",
    "srcport": "45201",
    "transport": "UDP",
    "srcids": {"instance": "i-0abc", "resolver_endpoint": "rslvr-in-1"},
    "firewall_rule_action": "BLOCK",
    "firewall_rule_group_id": "rslvr-frg-1",
    "firewall_domain_list_id": "rslvr-fdl-1",
}

FIREWALL_EVENT = {
    "firewall_name": "acme-prod",
    "availability_zone": "eu-central-1a",
    "event_timestamp": "1767322805",
    "event": {
        "timestamp": "2026-01-02T03:04:05.006481+0000",
        "flow_id": 1582438383425873,
        "event_type": "alert",
        "src_ip": "10.128.0.9",
        "src_port": 55555,
        "dest_ip": "203.0.113.9",
        "dest_port": 443,
        "proto": "TCP",
        "app_proto": "tls",
        "alert": {"action": "blocked", "signature_id": 5, "rev": 0, "signature": "s", "category": "", "severity": 1},
        "tls": {"sni": "bad.example", "version": "UNDETERMINED"},
    },
}


def test_trail_table_reads_every_documented_field() -> None:
    row = _json_row(TRAIL, json.dumps(CLOUDTRAIL_EVENT))
    assert row["useridentity"]["sessioncontext"]["sessionissuer"]["username"] == "Admin"
    assert json.loads(row["additionaleventdata"]) == {"MFAUsed": "No"}
    assert row["errorcode"] == "Client.UnauthorizedOperation"


def test_flow_table_reads_by_position() -> None:
    assert len(FLOW_LINE.split(" ")) == len(FLOW_LOG_FIELDS) == len(FLOW.columns)
    row = {
        column.name: _read(column.type, None if column.type != "string" and text == "-" else text)
        for column, text in zip(FLOW.columns, FLOW_LINE.split(" "), strict=True)
    }
    assert (row["dstport"], row["action"], row["end_time"]) == (443, "ACCEPT", 1767322860)
    assert (row["pkt_dst_aws_service"], row["flow_direction"], row["traffic_path"]) == ("S3", "egress", 8)
    assert len(NO_DATA_LINE.split(" ")) == len(FLOW.columns)


def test_flow_log_format_names_each_field() -> None:
    assert re.findall(r"\$\{([a-z0-9-]+)\}", FLOW_LOG_FORMAT) == list(FLOW_LOG_FIELDS)


def test_waf_table_reads_every_documented_field() -> None:
    row = _json_row(WAF, json.dumps(WAF_EVENT))
    assert row["httprequest"]["clientip"] == "203.0.113.7"
    assert row["rulegrouplist"][0]["terminatingrule"]["ruleid"] == "SQLi_BODY"


def test_balancer_table_reads_requests() -> None:
    row = _regex_row(BALANCER, BALANCER_LINE)
    assert row is not None
    assert (row["elb_status_code"], row["target"], row["target_status_code"]) == (502, "10.128.0.1:8443", "-")
    assert row["request"] == "GET https://origin.acme.example:443/a?b=c HTTP/1.1"
    assert row["more"].startswith("TID_")
    refused = _regex_row(BALANCER, REFUSED_LINE)
    assert refused is not None
    assert (refused["target_processing_time"], refused["elb_status_code"], refused["more"]) == (-1.0, 400, None)


def test_connections_table_reads_connections() -> None:
    row = _regex_row(CONNECTIONS, CONNECTION_LINE)
    assert row is not None
    assert (row["tls_protocol"], row["tls_verify_status"], row["listener_port"]) == ("TLSv1.3", "Success", 443)
    plain = _regex_row(CONNECTIONS, PLAIN_CONNECTION_LINE)
    assert plain is not None
    assert plain["tls_protocol"] == "-"


def test_requests_and_connections_of_one_folder_do_not_mix() -> None:
    assert _regex_row(BALANCER, CONNECTION_LINE) is None
    assert _regex_row(CONNECTIONS, BALANCER_LINE) is None


def test_resolver_table_reads_every_documented_field() -> None:
    assert _json_row(RESOLVER, json.dumps(RESOLVER_EVENT))["answers"][0]["rdata"] == "203.0.113.9"


def test_firewall_table_reads_alerts() -> None:
    assert _json_row(FIREWALL, json.dumps(FIREWALL_EVENT))["event"]["tls"]["sni"] == "bad.example"


def test_cdn_table_reads_every_field_that_is_delivered() -> None:
    samples = {"sc-status": "502", "c-port": "443", "time-taken": "0.123", "time-to-first-byte": "0.1"}
    event = {name: samples.get(name, "1") for name in CDN_LOG_FIELDS}
    row = _json_row(CDN, json.dumps(event))
    assert set(row) == {column.name for column in CDN.columns}
    assert (row["sc_status"], row["time_taken"], row["cs_host"]) == (502, 0.123, "1")


def test_audit_table_reads_envelopes() -> None:
    envelope = {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": "/acme/documents/document-api",
        "logStream": "2026/01/02/[$LATEST]1",
        "subscriptionFilters": ["f"],
        "logEvents": [{"id": "1", "timestamp": 1767322805123, "message": '{"event": "request.refused"}'}],
    }
    assert _json_row(AUDIT, json.dumps(envelope))["logevents"][0]["timestamp"] == 1767322805123


def test_cdn_logs_leave_out_what_may_carry_credentials() -> None:
    assert not {"cs(Cookie)", "cs-uri-query", "cs(Referer)"} & set(CDN_LOG_FIELDS)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_column_and_partition_names_are_lower_case_and_unique(table: LogTable) -> None:
    names = [column.name for column in table.columns] + [partition.name for partition in table.partitions]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in [table.name, *names])


@pytest.mark.parametrize("table", [t for t in TABLES if t.partitions], ids=lambda table: table.name)
def test_partitions_are_projected_into_the_path(table: LogTable) -> None:
    parameters = table.all_parameters
    assert parameters["projection.enabled"] == "true"
    assert parameters["storage.location.template"].startswith(table.location)
    assert table.location.endswith("/")
    placeholders = re.findall(r"\$\{(\w+)\}", parameters["storage.location.template"])
    assert placeholders == [partition.name for partition in table.partitions]
    for partition in table.partitions:
        assert parameters[f"projection.{partition.name}.type"] in {"enum", "date"}
    assert parameters["projection.day.range"] == f"NOW-{table.partitions[-1].days}DAYS,NOW"
    assert parameters["projection.day.format"] == "yyyy/MM/dd"


# -------------------------------------------------------------------------------------------------------------- queries

SQL_WORDS = frozenset(
    {"select", "from", "where", "and", "or", "not", "in", "is", "null", "like", "as", "order", "by", "desc", "group"}
    | {"limit", "interval", "between", "asc", "cross", "join", "unnest"}
)
SQL_FUNCTIONS = frozenset(
    {
        "count",
        "sum",
        "min",
        "max",
        "coalesce",
        "date_format",
        "from_unixtime",
        "from_iso8601_timestamp",
        "json_extract_scalar",
        "regexp_like",
    }
)
SQL_VALUES = frozenset({"current_date", "current_timestamp"})


def _known(table: LogTable, path: str, *, of: str = "") -> bool:
    """Whether ``a.b.c`` is a column, a partition or a field of a struct column of ``table``, or of elements of ``of``."""
    if of:
        (array,) = (column.type for column in table.columns if column.name == of)
        return path in _fields(array.removeprefix("array<")[:-1])
    head, *rest = path.split(".")
    types = {column.name: column.type for column in table.columns}
    types |= {partition.name: "string" for partition in table.partitions}
    kind = types.get(head)
    for step in rest:
        if kind is None or not kind.startswith("struct<"):
            return False
        kind = _fields(kind).get(step)
    return kind is not None


def unknown_names(table: LogTable, sql: str) -> list[str]:
    """Names in ``sql`` that are neither SQL, nor the table, nor its columns, nor aliases given in the query."""
    text = re.sub(r"'[^']*'\s*(day\b)?", " ", sql).replace('"', "")
    aliases = {alias.lower() for alias in re.findall(r"\bAS\s+(\w+)", text, re.IGNORECASE)}
    # UNNEST(column) AS relation (name): name stands for one element of the array.
    elements = {name: column for column, name in re.findall(r"UNNEST\((\w+)\) AS \w+ \((\w+)\)", text)}
    unknown = []
    for match in re.finditer(r"[A-Za-z_][\w.]*", text):
        name = match.group().lower()
        called = text[match.end() :].lstrip().startswith("(")
        if called and name in SQL_FUNCTIONS | SQL_WORDS:
            continue
        head, _, rest = name.partition(".")
        if head in elements and (not rest or _known(table, rest, of=elements[head])):
            continue
        if name in SQL_WORDS | SQL_VALUES | aliases or name == table.name or _known(table, name):
            continue
        unknown.append(name)
    return unknown


@pytest.mark.parametrize(
    ("table", "query"), [(t, q) for t, queries in QUERIES for q in queries], ids=lambda x: getattr(x, "name", "")
)
def test_queries_use_columns_that_exist(table: LogTable, query: NamedQuery) -> None:
    assert not unknown_names(table, query.sql), query.sql
    assert f"FROM {table.name}\n" in query.sql
    assert query.sql.count("(") == query.sql.count(")")
    assert query.sql.count("'") % 2 == 0


@pytest.mark.parametrize(
    ("table", "query"), [(t, q) for t, queries in QUERIES for q in queries], ids=lambda x: getattr(x, "name", "")
)
def test_queries_read_only_the_days_they_need(table: LogTable, query: NamedQuery) -> None:
    if any(partition.name == "day" for partition in table.partitions):
        assert re.search(r"WHERE day >= date_format\(current_date - interval '\d+' day, '%Y/%m/%d'\)", query.sql)


@pytest.mark.parametrize(
    ("table", "query"), [(t, q) for t, queries in QUERIES for q in queries], ids=lambda x: getattr(x, "name", "")
)
def test_what_is_selected_beside_an_aggregate_is_grouped(table: LogTable, query: NamedQuery) -> None:
    selected = re.search(r"SELECT(.*?)\sFROM", query.sql, re.DOTALL)
    assert selected is not None
    grouped = re.search(r"GROUP BY(.*?)(?:ORDER|LIMIT|$)", query.sql, re.DOTALL)
    if grouped is None:
        assert "count(" not in query.sql, table.name
        return

    def split(text: str) -> set[str]:
        depth, parts = 0, [""]
        for character in text:
            depth += (character == "(") - (character == ")")
            if character == "," and depth == 0:
                parts.append("")
            else:
                parts[-1] += character
        return {re.sub(r"\s+AS\s+\w+$", "", " ".join(part.split())) for part in parts}

    plain = {part for part in split(selected.group(1)) if not re.search(r"\b(count|sum|min|max)\(", part)}
    assert plain == split(grouped.group(1))


def test_a_query_for_a_column_that_does_not_exist_is_noticed() -> None:
    assert unknown_names(FLOW, "SELECT source_address FROM flow_prod WHERE day >= '2026'") == ["source_address"]
    assert unknown_names(TRAIL, "SELECT useridentity.name FROM trail") == ["useridentity.name"]
