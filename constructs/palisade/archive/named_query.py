"""Questions that come up in every investigation, ready to run."""

# ruff: noqa: S608 - the only thing put into the SQL is the name of a table that this library names

from __future__ import annotations

import textwrap
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NamedQuery:
    """A question about one table: its name, what it answers, and the SQL."""

    name: str
    description: str
    sql: str


def _last(days: int) -> str:
    return f"day >= date_format(current_date - interval '{days}' day, '%Y/%m/%d')"


def _query(name: str, description: str, sql: str) -> NamedQuery:
    return NamedQuery(name=name, description=description, sql=textwrap.dedent(sql).strip() + "\n")


def trail_queries(table: str) -> list[NamedQuery]:
    """Who did what."""
    return [
        _query(
            f"{table}: console logins without MFA",
            "Successful console logins of the last 30 days by somebody who gave no second factor",
            f"""
            SELECT eventtime, useridentity.type AS kind, useridentity.arn AS who, sourceipaddress, useragent
            FROM {table}
            WHERE {_last(30)}
              AND eventname = 'ConsoleLogin'
              AND json_extract_scalar(responseelements, '$.ConsoleLogin') = 'Success'
              AND json_extract_scalar(additionaleventdata, '$.MFAUsed') = 'No'
              AND useridentity.type <> 'AssumedRole'
            ORDER BY eventtime DESC
            """,
        ),
        _query(
            f"{table}: root use",
            "Everything a root user did in the last 90 days",
            f"""
            SELECT eventtime, account, awsregion, eventsource, eventname, sourceipaddress, errorcode
            FROM {table}
            WHERE {_last(90)}
              AND useridentity.type = 'Root'
              AND useridentity.invokedby IS NULL
              AND eventtype <> 'AwsServiceEvent'
            ORDER BY eventtime DESC
            """,
        ),
        _query(
            f"{table}: who assumed what",
            "Roles assumed by people and by roles of other accounts in the last 7 days, most frequent first",
            f"""
            SELECT useridentity.arn AS who, json_extract_scalar(requestparameters, '$.roleArn') AS assumed,
                   count(*) AS times, min(eventtime) AS earliest, max(eventtime) AS latest
            FROM {table}
            WHERE {_last(7)}
              AND eventsource = 'sts.amazonaws.com'
              AND eventname IN ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity')
              AND coalesce(useridentity.type, '') <> 'AWSService'
            GROUP BY useridentity.arn, json_extract_scalar(requestparameters, '$.roleArn')
            ORDER BY times DESC
            LIMIT 200
            """,
        ),
        _query(
            f"{table}: denied calls",
            "Who was refused what in the last 7 days, most frequent first",
            f"""
            SELECT useridentity.arn AS who, account, eventsource, eventname, errorcode, count(*) AS times,
                   max(eventtime) AS latest
            FROM {table}
            WHERE {_last(7)}
              AND (errorcode LIKE '%AccessDenied%' OR errorcode LIKE '%UnauthorizedOperation%')
            GROUP BY useridentity.arn, account, eventsource, eventname, errorcode
            ORDER BY times DESC
            LIMIT 200
            """,
        ),
        _query(
            f"{table}: changes to security groups",
            "Rules and groups made, changed or deleted in the last 30 days",
            f"""
            SELECT eventtime, account, awsregion, useridentity.arn AS who, eventname, requestparameters, errorcode
            FROM {table}
            WHERE {_last(30)}
              AND eventsource = 'ec2.amazonaws.com'
              AND eventname IN ('AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress',
                                'RevokeSecurityGroupIngress', 'RevokeSecurityGroupEgress',
                                'ModifySecurityGroupRules', 'CreateSecurityGroup', 'DeleteSecurityGroup')
            ORDER BY eventtime DESC
            """,
        ),
        _query(
            f"{table}: changes to trails, keys and evidence",
            "Attempts of the last 90 days to stop logging, to disable keys or to delete or unlock evidence",
            f"""
            SELECT eventtime, account, awsregion, useridentity.arn AS who, eventname, requestparameters, errorcode
            FROM {table}
            WHERE {_last(90)}
              AND eventname IN ('StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors',
                                'ScheduleKeyDeletion', 'DisableKey', 'PutKeyPolicy',
                                'DeleteBucket', 'PutBucketPolicy', 'DeleteBucketPolicy', 'PutBucketLifecycle',
                                'PutBucketObjectLockConfiguration', 'PutObjectRetention', 'DeleteObjectVersion',
                                'StopConfigurationRecorder', 'DeleteFlowLogs')
            ORDER BY eventtime DESC
            """,
        ),
    ]


def flow_queries(table: str) -> list[NamedQuery]:
    """Who talked to whom."""
    return [
        _query(
            f"{table}: top talkers",
            "Pairs of addresses that moved most bytes yesterday and today",
            f"""
            SELECT pkt_srcaddr, pkt_dstaddr, dstport, flow_direction, sum(bytes) AS total_bytes, sum(packets) AS total_packets
            FROM {table}
            WHERE {_last(1)}
              AND action = 'ACCEPT'
            GROUP BY pkt_srcaddr, pkt_dstaddr, dstport, flow_direction
            ORDER BY total_bytes DESC
            LIMIT 100
            """,
        ),
        _query(
            f"{table}: rejected flows",
            "What security groups and network ACLs refused in the last 7 days",
            f"""
            SELECT srcaddr, dstaddr, dstport, protocol, flow_direction, interface_id, count(*) AS times,
                   from_unixtime(max(end_time)) AS latest
            FROM {table}
            WHERE {_last(7)}
              AND action = 'REJECT'
            GROUP BY srcaddr, dstaddr, dstport, protocol, flow_direction, interface_id
            ORDER BY times DESC
            LIMIT 200
            """,
        ),
        _query(
            f"{table}: egress outside AWS",
            "Accepted flows of the last 7 days that left for addresses outside the VPC and outside AWS services",
            f"""
            SELECT instance_id, interface_id, pkt_dstaddr, dstport, sum(bytes) AS total_bytes
            FROM {table}
            WHERE {_last(7)}
              AND action = 'ACCEPT'
              AND flow_direction = 'egress'
              AND pkt_dst_aws_service = '-'
              AND NOT regexp_like(pkt_dstaddr, '^(10\\.|192\\.168\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.)')
            GROUP BY instance_id, interface_id, pkt_dstaddr, dstport
            ORDER BY total_bytes DESC
            LIMIT 200
            """,
        ),
    ]


def waf_queries(table: str) -> list[NamedQuery]:
    """What the web firewall stopped."""
    return [
        _query(
            f"{table}: blocked requests",
            "Blocked requests of the last 7 days by rule, address and path",
            f"""
            SELECT terminatingruleid, httprequest.clientip AS client, httprequest.country AS country,
                   httprequest.httpmethod AS method, httprequest.uri AS uri, count(*) AS times,
                   from_unixtime(max("timestamp") / 1000) AS latest
            FROM {table}
            WHERE {_last(7)}
              AND action = 'BLOCK'
            GROUP BY terminatingruleid, httprequest.clientip, httprequest.country, httprequest.httpmethod, httprequest.uri
            ORDER BY times DESC
            LIMIT 200
            """,
        ),
    ]


def balancer_queries(table: str) -> list[NamedQuery]:
    """What load balancers answered."""
    return [
        _query(
            f"{table}: errors by target",
            "Server errors of the last 7 days by target",
            f"""
            SELECT target, elb_status_code, target_status_code, count(*) AS times, max(time) AS latest
            FROM {table}
            WHERE {_last(7)}
              AND elb_status_code >= 500
            GROUP BY target, elb_status_code, target_status_code
            ORDER BY times DESC
            """,
        ),
        _query(
            f"{table}: slowest requests",
            "Requests of yesterday and today that took the target longest",
            f"""
            SELECT time, client, request, target, elb_status_code, target_processing_time
            FROM {table}
            WHERE {_last(1)}
              AND target_processing_time > 0
            ORDER BY target_processing_time DESC
            LIMIT 100
            """,
        ),
    ]


def connection_queries(table: str) -> list[NamedQuery]:
    """How clients connected."""
    return [
        _query(
            f"{table}: protocols and failures",
            "TLS versions and failed handshakes of the last 7 days",
            f"""
            SELECT tls_protocol, tls_cipher, tls_verify_status, count(*) AS times
            FROM {table}
            WHERE {_last(7)}
              AND time IS NOT NULL
            GROUP BY tls_protocol, tls_cipher, tls_verify_status
            ORDER BY times DESC
            """,
        ),
    ]


def resolver_queries(table: str) -> list[NamedQuery]:
    """What was asked of DNS."""
    return [
        _query(
            f"{table}: DNS blocked",
            "Names of the last 7 days that the DNS firewall blocked or alerted on",
            f"""
            SELECT query_name, query_type, firewall_rule_action, firewall_domain_list_id, srcaddr,
                   srcids.instance AS instance, count(*) AS times, max(query_timestamp) AS latest
            FROM {table}
            WHERE from_iso8601_timestamp(query_timestamp) >= current_timestamp - interval '7' day
              AND firewall_rule_action IN ('BLOCK', 'ALERT')
            GROUP BY query_name, query_type, firewall_rule_action, firewall_domain_list_id, srcaddr, srcids.instance
            ORDER BY times DESC
            LIMIT 200
            """,
        ),
    ]


def firewall_queries(table: str) -> list[NamedQuery]:
    """What the network firewall stopped."""
    return [
        _query(
            f"{table}: blocked connections",
            "Connections that Network Firewall blocked, by rule and destination",
            f"""
            SELECT event.alert.signature AS signature, event.src_ip AS source, event.dest_ip AS destination,
                   event.tls.sni AS sni, count(*) AS times, max(event.timestamp) AS latest
            FROM {table}
            WHERE event.alert.action = 'blocked'
            GROUP BY event.alert.signature, event.src_ip, event.dest_ip, event.tls.sni
            ORDER BY times DESC
            LIMIT 200
            """,
        ),
    ]


def cdn_queries(table: str) -> list[NamedQuery]:
    """What CloudFront answered."""
    return [
        _query(
            f"{table}: errors by path",
            "Server errors of the last 7 days by path",
            f"""
            SELECT cs_host, cs_uri_stem, sc_status, x_edge_detailed_result_type, count(*) AS times
            FROM {table}
            WHERE {_last(7)}
              AND sc_status >= 500
            GROUP BY cs_host, cs_uri_stem, sc_status, x_edge_detailed_result_type
            ORDER BY times DESC
            LIMIT 200
            """,
        ),
    ]


def audit_queries(table: str) -> list[NamedQuery]:
    """What applications did."""
    return [
        _query(
            f"{table}: refused requests",
            "Requests of the last 7 days that an application refused, by tenant and user, most frequent first",
            f"""
            SELECT loggroup, json_extract_scalar(entry.message, '$.event') AS event,
                   json_extract_scalar(entry.message, '$.tenant') AS tenant,
                   json_extract_scalar(entry.message, '$.user') AS person, count(*) AS times,
                   from_unixtime(max(entry.timestamp) / 1000) AS latest
            FROM {table}
            CROSS JOIN UNNEST(logevents) AS events (entry)
            WHERE {_last(7)}
              AND json_extract_scalar(entry.message, '$.event') IN ('request.refused', 'request.denied')
            GROUP BY loggroup, json_extract_scalar(entry.message, '$.event'),
                     json_extract_scalar(entry.message, '$.tenant'), json_extract_scalar(entry.message, '$.user')
            ORDER BY times DESC
            LIMIT 200
            """,
        ),
    ]
