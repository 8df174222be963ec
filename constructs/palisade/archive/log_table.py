"""The tables that read the archive: columns, formats and partitions of each log, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from palisade.archive.cdn_log_delivery import CDN_LOG_FIELDS
from palisade.archive.flow_log_fields import FLOW_LOG_FIELDS

_TEXT = "org.apache.hadoop.mapred.TextInputFormat"
_OPENX = "org.openx.data.jsonserde.JsonSerDe"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: its name and Hive type, and for logs read by pattern the pattern of its field."""

    name: str
    type: str
    pattern: str = ""


@dataclass(frozen=True, kw_only=True)
class Partition:
    """A partition that Athena computes instead of storing: an enumeration, or days of the last ``days``.

    https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
    """

    name: str
    values: Sequence[str] = ()
    days: int = 0

    def parameters(self) -> dict[str, str]:
        """The table parameters that tell Athena so."""
        if self.values:
            rule = {"type": "enum", "values": ",".join(self.values)}
        else:
            rule = {"type": "date", "format": "yyyy/MM/dd", "range": f"NOW-{self.days}DAYS,NOW"}
            rule |= {"interval": "1", "interval.unit": "DAYS"}
        return {f"projection.{self.name}.{key}": value for key, value in rule.items()}


@dataclass(frozen=True, kw_only=True)
class LogTable:
    """One external table. ``path`` is the S3 path with ``${partition}`` where a partition's value stands."""

    name: str
    description: str
    path: str
    columns: Sequence[Column]
    serde: str
    serde_parameters: Mapping[str, str] = field(default_factory=dict)
    input_format: str = _TEXT
    parameters: Mapping[str, str] = field(default_factory=dict)
    partitions: Sequence[Partition] = ()

    @property
    def location(self) -> str:
        """The path up to the first partition."""
        return self.path.partition("${")[0]

    @property
    def all_parameters(self) -> dict[str, str]:
        """Table parameters, projection included."""
        projection: dict[str, str] = {}
        if self.partitions:
            projection = {"projection.enabled": "true", "storage.location.template": self.path}
        for partition in self.partitions:
            projection |= partition.parameters()
        return {"classification": "text", **self.parameters, **projection}


def _columns(text: str) -> list[Column]:
    """Columns from lines of ``name type``."""
    pairs = (line.split(None, 1) for line in text.strip().splitlines())
    return [Column(name=name, type=kind.replace(" ", "")) for name, kind in pairs]


def trail_table(
    *, name: str, bucket: str, below: str, accounts: Sequence[str], regions: Sequence[str], days: int
) -> LogTable:
    """CloudTrail. ``below`` is the organization's id and a slash for an organization trail, or empty.

    https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html
    https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-org-wide-trail.html
    """
    return LogTable(
        name=name,
        description="Calls to AWS (CloudTrail)",
        path=f"s3://{bucket}/AWSLogs/{below}${{account}}/CloudTrail/${{region}}/${{day}}",
        columns=_columns(
            """
            eventversion string
            useridentity struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,accesskeyid:string,username:string,sessioncontext:struct<attributes:struct<mfaauthenticated:string,creationdate:string>,sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>,ec2roledelivery:string,webidfederationdata:struct<federatedprovider:string,attributes:map<string,string>>>>
            eventtime string
            eventsource string
            eventname string
            awsregion string
            sourceipaddress string
            useragent string
            errorcode string
            errormessage string
            requestparameters string
            responseelements string
            additionaleventdata string
            requestid string
            eventid string
            readonly string
            resources array<struct<arn:string,accountid:string,type:string>>
            eventtype string
            apiversion string
            managementevent string
            recipientaccountid string
            serviceeventdetails string
            sharedeventid string
            vpcendpointid string
            vpcendpointaccountid string
            eventcategory string
            sessioncredentialfromconsole string
            tlsdetails struct<tlsversion:string,ciphersuite:string,clientprovidedhostheader:string>
            """  # noqa: E501
        ),
        serde="org.apache.hive.hcatalog.data.JsonSerDe",
        input_format="com.amazon.emr.cloudtrail.CloudTrailInputFormat",
        parameters={"classification": "cloudtrail"},
        partitions=[
            Partition(name="account", values=accounts),
            Partition(name="region", values=regions),
            Partition(name="day", days=days),
        ],
    )


_FLOW_TYPES = {
    **dict.fromkeys(("version", "srcport", "dstport", "protocol", "tcp-flags", "traffic-path"), "int"),
    **dict.fromkeys(("packets", "bytes", "start", "end"), "bigint"),
}
_FLOW_NAMES = {"start": "start_time", "end": "end_time", "type": "traffic_type", "region": "source_region"}


def flow_table(*, name: str, bucket: str, account: str, region: str, days: int) -> LogTable:
    """VPC flow logs with the fields of :data:`FLOW_LOG_FIELDS`, read by position.

    https://docs.aws.amazon.com/athena/latest/ug/vpc-flow-logs-partition-projection.html
    """
    return LogTable(
        name=name,
        description="Network flows (VPC flow logs)",
        path=f"s3://{bucket}/AWSLogs/{account}/vpcflowlogs/{region}/${{day}}",
        columns=[
            Column(name=_FLOW_NAMES.get(f, f.replace("-", "_")), type=_FLOW_TYPES.get(f, "string"))
            for f in FLOW_LOG_FIELDS
        ],
        serde="org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        serde_parameters={"field.delim": " ", "serialization.format": " "},
        parameters={"skip.header.line.count": "1"},
        partitions=[Partition(name="day", days=days)],
    )


def waf_table(*, name: str, bucket: str, account: str, scope: str, acl: str, days: int) -> LogTable:
    """One web ACL's requests. ``scope`` is its region, or ``cloudfront``.

    https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html
    https://docs.aws.amazon.com/athena/latest/ug/create-waf-table-partition-projection.html
    """
    match = "array<struct<conditiontype:string,sensitivitylevel:string,location:string,matcheddata:array<string>>>"
    rules = f"array<struct<ruleid:string,action:string,overriddenaction:string,rulematchdetails:{match}>>"
    terminating = f"struct<ruleid:string,action:string,rulematchdetails:{match}>"
    return LogTable(
        name=name,
        description="Web requests and what the firewall did (WAF)",
        path=f"s3://{bucket}/AWSLogs/{account}/WAFLogs/{scope}/{acl}/${{day}}",
        columns=_columns(
            f"""
            timestamp bigint
            formatversion int
            webaclid string
            terminatingruleid string
            terminatingruletype string
            action string
            terminatingrulematchdetails {match}
            httpsourcename string
            httpsourceid string
            rulegrouplist array<struct<rulegroupid:string,terminatingrule:{terminating},nonterminatingmatchingrules:{rules}>>
            ratebasedrulelist array<struct<ratebasedruleid:string,ratebasedrulename:string,limitkey:string,maxrateallowed:int,evaluationwindowsec:string>>
            nonterminatingmatchingrules {rules}
            requestheadersinserted array<struct<name:string,value:string>>
            responsecodesent string
            httprequest struct<clientip:string,country:string,headers:array<struct<name:string,value:string>>,uri:string,args:string,httpversion:string,httpmethod:string,requestid:string,fragment:string,scheme:string,host:string>
            labels array<struct<name:string>>
            ja3fingerprint string
            ja4fingerprint string
            requestbodysize bigint
            requestbodysizeinspectedbywaf bigint
            """  # noqa: E501
        ),
        serde=_OPENX,
        parameters={"classification": "json"},
        partitions=[Partition(name="day", days=days)],
    )


_WORD, _NUMBER, _QUOTED = "([^ ]*)", "([-.0-9]*)", '"([^"]*)"'

_BALANCER_COLUMNS = (
    ("type", "string", "(http|https|h2|grpcs|ws|wss)"),
    ("time", "string", _WORD),
    ("elb", "string", _WORD),
    ("client", "string", _WORD),
    ("target", "string", _WORD),
    ("request_processing_time", "double", _NUMBER),
    ("target_processing_time", "double", _NUMBER),
    ("response_processing_time", "double", _NUMBER),
    ("elb_status_code", "int", "([0-9]*)"),
    ("target_status_code", "string", "([-0-9]*)"),
    ("received_bytes", "bigint", "([-0-9]*)"),
    ("sent_bytes", "bigint", "([-0-9]*)"),
    ("request", "string", _QUOTED),
    ("user_agent", "string", _QUOTED),
    ("ssl_cipher", "string", _WORD),
    ("ssl_protocol", "string", _WORD),
    ("target_group_arn", "string", _WORD),
    ("trace_id", "string", _QUOTED),
    ("domain_name", "string", _QUOTED),
    ("chosen_cert_arn", "string", _QUOTED),
    ("matched_rule_priority", "string", _NUMBER),
    ("request_creation_time", "string", _WORD),
    ("actions_executed", "string", _QUOTED),
    ("redirect_url", "string", _QUOTED),
    ("error_reason", "string", _QUOTED),
    ("targets", "string", _QUOTED),
    ("target_status_codes", "string", _QUOTED),
    ("classification", "string", _QUOTED),
    ("classification_reason", "string", _QUOTED),
)

_CONNECTION_COLUMNS = (
    ("time", "string", "([0-9]{4}-[^ ]*)"),
    ("client_ip", "string", _WORD),
    ("client_port", "int", "([0-9]*)"),
    ("listener_port", "int", "([0-9]*)"),
    ("tls_protocol", "string", _WORD),
    ("tls_cipher", "string", _WORD),
    ("tls_handshake_seconds", "string", _WORD),
    ("client_cert_subject", "string", '(-|"[^"]*")'),
    ("client_cert_validity", "string", _WORD),
    ("client_cert_serial_number", "string", _WORD),
    ("tls_verify_status", "string", _WORD),
)


def balancer_tables(*, suffix: str, bucket: str, account: str, region: str, days: int) -> list[LogTable]:
    """Requests and connections of load balancers, which lie in one folder: each table sees the other's lines as empty.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-connection-logs.html
    """
    tables = []
    for kind, description, fields in (
        ("balancer", "Requests to load balancers", _BALANCER_COLUMNS),
        ("connections", "Connections to load balancers", _CONNECTION_COLUMNS),
    ):
        columns = [
            *(Column(name=name, type=type_, pattern=pattern) for name, type_, pattern in fields),
            # New fields appear at the end, some of them quoted; one column takes them all.
            Column(name="more", type="string", pattern="(.*)"),
        ]
        patterns = [column.pattern for column in columns]
        tables.append(
            LogTable(
                name=f"{kind}_{suffix}",
                description=description,
                path=f"s3://{bucket}/AWSLogs/{account}/elasticloadbalancing/{region}/${{day}}",
                columns=columns,
                serde="org.apache.hadoop.hive.serde2.RegexSerDe",
                serde_parameters={
                    "serialization.format": "1",
                    "input.regex": " ".join(patterns[:-1]) + " ?" + patterns[-1],
                },
                partitions=[Partition(name="day", days=days)],
            )
        )
    return tables


def resolver_table(*, name: str, bucket: str, account: str) -> LogTable:
    """DNS queries. Without partitions: the path holds the VPC's id, which only AWS knows.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html
    """
    return LogTable(
        name=name,
        description="DNS queries (Route 53 Resolver)",
        path=f"s3://{bucket}/AWSLogs/{account}/vpcdnsquerylogs/",
        columns=_columns(
            """
            version string
            account_id string
            region string
            vpc_id string
            query_timestamp string
            query_name string
            query_type string
            query_class string
            rcode string
            answers array<struct<rdata:string,type:string,class:string>>
            srcaddr string
            srcport int
            transport string
            srcids struct<instance:string,resolver_endpoint:string>
            firewall_rule_action string
            firewall_rule_group_id string
            firewall_domain_list_id string
            """
        ),
        serde=_OPENX,
        parameters={"classification": "json"},
    )


def firewall_table(*, name: str, bucket: str, account: str) -> LogTable:
    """Alerts and flows of Network Firewall. Without partitions: two kinds of logs lie in different folders.

    https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-logging-contents.html
    """
    return LogTable(
        name=name,
        description="Alerts and flows of Network Firewall",
        path=f"s3://{bucket}/AWSLogs/{account}/network-firewall/",
        columns=_columns(
            """
            firewall_name string
            availability_zone string
            event_timestamp string
            event struct<timestamp:string,flow_id:bigint,event_type:string,src_ip:string,src_port:int,dest_ip:string,dest_port:int,proto:string,app_proto:string,alert:struct<action:string,signature_id:bigint,rev:int,signature:string,category:string,severity:int>,tls:struct<sni:string,version:string>,http:struct<hostname:string,url:string,http_user_agent:string,http_method:string>,netflow:struct<pkts:bigint,bytes:bigint,start:string,end:string,age:int>>
            """  # noqa: E501
        ),
        serde=_OPENX,
        parameters={"classification": "json"},
    )


def audit_table(*, name: str, bucket: str, account: str, days: int) -> LogTable:
    """Application audit logs, as the envelopes that CloudWatch Logs sends: many events a line.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """
    return LogTable(
        name=name,
        description="What applications did and refused (audit logs)",
        path=f"s3://{bucket}/AWSLogs/{account}/audit/${{day}}",
        columns=_columns(
            """
            messagetype string
            owner string
            loggroup string
            logstream string
            subscriptionfilters array<string>
            logevents array<struct<id:string,timestamp:bigint,message:string>>
            """
        ),
        serde=_OPENX,
        parameters={"classification": "json"},
        partitions=[Partition(name="day", days=days)],
    )


_CDN_TYPES = {
    **dict.fromkeys(("cs-bytes", "sc-bytes"), "bigint"),
    **dict.fromkeys(("c-port", "sc-status"), "int"),
    **dict.fromkeys(("time-taken", "time-to-first-byte"), "double"),
}


def cdn_table(*, name: str, bucket: str, account: str, days: int) -> LogTable:
    """Requests to CloudFront, as JSON lines of :data:`CDN_LOG_FIELDS`.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
    https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
    """
    names = {f: f.lower().replace("-", "_").replace("(", "_").replace(")", "") for f in CDN_LOG_FIELDS}
    return LogTable(
        name=name,
        description="Requests to CloudFront",
        path=f"s3://{bucket}/AWSLogs/{account}/CloudFront/${{day}}",
        columns=[Column(name=names[f], type=_CDN_TYPES.get(f, "string")) for f in CDN_LOG_FIELDS],
        serde=_OPENX,
        serde_parameters={
            "case.insensitive": "FALSE",
            **{f"mapping.{column}": f for f, column in names.items() if column != f},
        },
        parameters={"classification": "json"},
        partitions=[Partition(name="day", days=days)],
    )
