"""The web ACL: known attacks are blocked, floods are cut off, every request is logged without credentials."""

from __future__ import annotations

from assembly import Assembly, Resource

CAPACITY_IN_THE_BASIC_PRICE = 1500
DOCUMENTED_CAPACITY = {
    "AWSManagedRulesCommonRuleSet": 700,
    "AWSManagedRulesKnownBadInputsRuleSet": 200,
    "AWSManagedRulesSQLiRuleSet": 200,
    "AWSManagedRulesLinuxRuleSet": 200,
    "AWSManagedRulesUnixRuleSet": 100,
    "AWSManagedRulesAmazonIpReputationList": 25,
    "AWSManagedRulesAnonymousIpList": 50,
}


def _acls(assembly: Assembly) -> list[Resource]:
    found = [acl for _, acl in assembly.resources("AWS::WAFv2::WebACL")]
    assert len(found) == 5, "one before each stage's region, one before its distribution, one before the chat's door"
    return found


def test_every_managed_group_blocks(assembly: Assembly) -> None:
    for acl in _acls(assembly):
        groups = {}
        for rule in acl.properties["Rules"]:
            group = rule["Statement"].get("ManagedRuleGroupStatement")
            if group:
                assert rule["OverrideAction"] == {"None": {}}, f"{acl}: {rule['Name']} only counts"
                assert not group.get("ExcludedRules"), f"{acl}: {rule['Name']} leaves rules out"
                assert not group.get("RuleActionOverrides"), f"{acl}: {rule['Name']} weakens rules"
                groups[group["Name"]] = group["VendorName"]
        assert groups == dict.fromkeys(DOCUMENTED_CAPACITY, "AWS"), acl


def test_whoever_asks_too_often_is_blocked(assembly: Assembly) -> None:
    for acl in _acls(assembly):
        (rule,) = (r for r in acl.properties["Rules"] if "RateBasedStatement" in r["Statement"])
        assert rule["Action"] == {"Block": {}}, acl
        assert rule["Priority"] == min(r["Priority"] for r in acl.properties["Rules"]), acl
        assert 10 <= rule["Statement"]["RateBasedStatement"]["Limit"] <= 3000, acl


def test_only_requests_through_cloudfront_escape_the_count_of_the_region(assembly: Assembly) -> None:
    for acl in _acls(assembly):
        (rule,) = (r for r in acl.properties["Rules"] if r["Name"] == "Rate")
        narrowed = rule["Statement"]["RateBasedStatement"].get("ScopeDownStatement")
        if acl.properties["Scope"] == "CLOUDFRONT" or acl.stack == "security-chat":
            assert narrowed is None, acl
        else:
            match = narrowed["NotStatement"]["Statement"]["ByteMatchStatement"]
            assert match["PositionalConstraint"] == "EXACTLY", acl
            assert match["SearchString"].startswith("origin."), acl


def test_capacity_stays_within_the_basic_price(assembly: Assembly) -> None:
    for acl in _acls(assembly):
        used = 0
        for rule in acl.properties["Rules"]:
            statement = rule["Statement"]
            if "ManagedRuleGroupStatement" in statement:
                used += DOCUMENTED_CAPACITY[statement["ManagedRuleGroupStatement"]["Name"]]
            elif "IPSetReferenceStatement" in statement:
                used += 1
            else:
                # A rate rule, an exact match, and a text transformation at its dearest.
                used += 2 + (2 + 10 if "ScopeDownStatement" in statement["RateBasedStatement"] else 0)
        assert used <= CAPACITY_IN_THE_BASIC_PRICE, f"{acl}: {used}"


def test_every_request_is_logged_without_credentials(assembly: Assembly) -> None:
    logged = set()
    for stack, log in assembly.resources("AWS::WAFv2::LoggingConfiguration"):
        (destination,) = log.properties["LogDestinationConfigs"]
        assert destination.startswith("arn:aws:s3:::aws-waf-logs-acme-"), log
        assert "LoggingFilter" not in log.properties, log
        redacted = {field["SingleHeader"]["Name"] for field in log.properties["RedactedFields"]}
        assert redacted >= {"authorization", "cookie", "x-api-key", "x-origin-verify"}, log
        logged.add((stack.name, log.properties["ResourceArn"]["Fn::GetAtt"][0]))
    assert logged == {(acl.stack, acl.logical_id) for acl in _acls(assembly)}


def test_sampled_requests_hold_no_credentials(assembly: Assembly) -> None:
    for acl in _acls(assembly):
        (protection,) = acl.properties["DataProtectionConfig"]["DataProtections"]
        assert protection["Action"] == "SUBSTITUTION", acl
        assert {"authorization", "cookie", "x-api-key", "x-origin-verify"} <= set(protection["Field"]["FieldKeys"]), acl
