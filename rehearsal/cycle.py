"""One rehearsal: create every stack, verify, update, verify, delete, verify, on the embedded AWS."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from assembly import Assembly, Stack
from rehearsal import checks, deploy, faults
from rehearsal.checks import CHECKS, DESCRIPTIONS, SCENARIOS, Resource, Scenario, View
from rehearsal.cli import Cli
from rehearsal.compare import compare
from rehearsal.honesty import Honesty
from rehearsal.progress import Progress, Row, Tried
from rehearsal.server import EmbeddedAws

RETAINING = ("Retain", "RetainExceptOnCreate")
CHECK_THREADS = 3


@dataclass(kw_only=True)
class Result:
    """What a rehearsal found."""

    rows: dict[str, Row]
    failures: list[str] = field(default_factory=list)
    scenarios: dict[str, Tried] = field(default_factory=dict)
    stacks_done: int = 0
    seconds: float = 0.0
    memory: int = 0

    @property
    def ok(self) -> bool:
        rows = self.rows.values()
        return not self.failures and all(
            row.created == row.resources and row.passed == row.checks and not row.failed for row in rows
        )

    def last_line(self) -> str:
        rows = self.rows.values()
        return (
            f"rehearsal: {self.stacks_done}/{len(self.rows)} stacks, {sum(row.created for row in rows)}/"
            f"{sum(row.resources for row in rows)} resources ({sum(row.recorded for row in rows)} recorded only), "
            f"{sum(row.passed for row in rows)}/{sum(row.checks for row in rows)} checks, {self.seconds:.1f} s"
        )


class Rehearsal:
    """Drives the phases and collects what they find."""

    def __init__(
        self,
        assembly: Assembly,
        updated: Assembly | None,
        aws: EmbeddedAws,
        honesty: Honesty,
        progress: Progress,
        *,
        keep_going: bool = False,
        fault: str = "",
        cli: Cli | None = None,
    ) -> None:
        self._stacks: list[Stack] = list(assembly.stacks)
        self._updated = {stack.name: stack for stack in updated.stacks} if updated else {}
        self._aws, self._honesty, self._progress, self._keep_going = aws, honesty, progress, keep_going
        self._fault, self._cli = fault, cli
        self._uploaded: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._alive: set[str] = set()
        self._created: set[str] = set()
        self._unkept: dict[tuple[str, str], set[str]] = {}
        self._instances: dict[str, list[Any]] = {}
        self.result = Result(
            rows={
                stack.name: Row(
                    stack=stack.name, account=stack.account, region=stack.region, resources=len(_wanted(stack))
                )
                for stack in self._stacks
            }
        )
        checks.load()

    def run(self) -> Result:
        """The whole cycle; stops after the first phase that fails unless told to keep going."""
        deploy.publish(self._aws, self._stacks)
        deploy.hand_over(self._aws, self._stacks)
        if self._cli:
            self._cli.bootstrap()
        else:
            deploy.bootstrap(self._aws, self._stacks)
        phases: list[Callable[[], None]] = [
            self._create,
            self._verify_all,
            self._judge,
            *([self._update, self._verify_all] if self._updated else []),
            self._delete,
        ]
        for phase in phases:
            phase()
            if self.result.failures and not self._keep_going:
                break
        self.result.seconds = self._progress.seconds
        self.result.memory = self._aws.memory()
        self.result.stacks_done = sum(not row.failed and "delete" in row.seconds for row in self.result.rows.values())
        return self.result

    def _fail(self, stack: str, text: str) -> None:
        with self._lock:
            if text not in self.result.failures:
                self.result.failures.append(text)
            if stack in self.result.rows:
                self.result.rows[stack].failed = True

    def _each(self, phase: str, stacks: list[Stack], work: Callable[[Stack], deploy.Outcome], reverse: bool) -> None:
        done = 0

        def once(stack: Stack) -> deploy.Outcome:
            nonlocal done
            outcome = work(stack)
            row = self.result.rows[stack.name]
            row.seconds[phase] = outcome.seconds
            with self._lock:
                done += 1
            shown = f"{stack.name} {stack.account} {stack.region}: {outcome.status} {outcome.seconds:.1f} s"
            self._progress.step(phase, done, len(stacks), shown)
            for failure in outcome.failures or ([] if outcome.ok else [outcome.status]):
                self._progress.line(f"         {failure}")
                self._fail(stack.name, f"{stack.name}: {phase}: {failure}")
            return outcome

        deploy.in_order(stacks, once, reverse=reverse, keep_going=self._keep_going)

    def _create(self) -> None:
        if self._cli:
            self._cli.deploy()

        def work(stack: Stack) -> deploy.Outcome:
            if self._fault == "create":
                self._fail_to_create(stack)
            if self._cli:
                outcome = deploy.look(self._aws, stack)
            else:
                outcome = deploy.deploy(self._aws, stack, self._uploaded, update=False)
            if outcome.status not in ("REFUSED", "CHANGE_SET_FAILED"):
                self._alive.add(stack.name)
            if outcome.ok:
                self._created.add(stack.name)
            self._count(stack, outcome)
            return outcome

        self._each("create", self._stacks, work, reverse=False)

    def _fail_to_create(self, stack: Stack) -> None:
        """Let the last resource of a stack fail: everything made before it must go again."""
        victim = faults.last(stack.template["Resources"], set(stack.resources))
        self._aws.ask("fault", stack=stack.name, logical_id=victim)
        outcome = deploy.deploy(self._aws, stack, self._uploaded, update=False, undo_all=True)
        self._tally(
            stack.name,
            f"{stack.name}: a failure of {victim} rolls the creation back",
            lambda: _assert(
                outcome.status == "ROLLBACK_COMPLETE" and any("injected fault" in text for text in outcome.failures),
                f"ended in {outcome.status}: {'; '.join(outcome.failures)}",
            ),
        )
        made = tuple(item for item in self._resources("made") if item.stack == stack.name)
        view = View(aws=self._aws, resources=made)
        for resource in made:
            if resource.type in DESCRIPTIONS:
                self._tally(
                    stack.name,
                    f"{resource}: is gone after the rollback",
                    lambda resource=resource: self._there(resource, view, False),  # type: ignore[misc]
                )
        deploy.delete(self._aws, stack)

    def _changed(self, stack: Stack) -> set[str]:
        """Logical ids whose properties differ between the two assemblies."""
        old, new = stack.resources, self._updated[stack.name].resources
        return {name for name in set(old) & set(new) if old[name].properties != new[name].properties}

    def _fail_to_update(self, stack: Stack) -> None:
        """Let the last changed resource of a stack fail: everything must be as the first assembly says."""
        changed = self._changed(stack)
        if not changed:
            return
        victim = faults.last(self._updated[stack.name].template["Resources"], changed)
        self._aws.ask("fault", stack=stack.name, logical_id=victim)
        outcome = deploy.deploy(self._aws, self._updated[stack.name], self._uploaded, update=True)
        self._tally(
            stack.name,
            f"{stack.name}: a failure of {victim} restores what was there before the update",
            lambda: _assert(
                outcome.status == "UPDATE_ROLLBACK_COMPLETE"
                and any("injected fault" in text for text in outcome.failures),
                f"ended in {outcome.status}: {'; '.join(outcome.failures)}",
            ),
        )
        view = View(aws=self._aws, resources=self._resources())
        for resource in view.resources:
            if resource.stack == stack.name:
                for title, run in self._checks_of(resource, view):
                    self._tally(stack.name, f"{resource}: {title} after the rollback", run)

    def _count(self, stack: Stack, outcome: deploy.Outcome) -> None:
        wanted = _wanted(stack)
        self.result.rows[stack.name].created = sum(outcome.resources.get(name, "") != "" for name in wanted)
        if outcome.ok:
            for name in sorted(wanted - set(outcome.resources)):
                self._fail(stack.name, f"{stack.name}/{name}: in the template, yet not created")

    def _update(self) -> None:
        if self._cli:
            self._cli.diff()
            self._cli.deploy(update=True)

        def work(stack: Stack) -> deploy.Outcome:
            if self._fault == "update":
                self._fail_to_update(stack)
            if self._cli:
                outcome = deploy.look(self._aws, stack, changes=len(self._changed(stack)))
            else:
                outcome = deploy.deploy(self._aws, self._updated[stack.name], self._uploaded, update=True)
            self.result.rows[stack.name].changed = outcome.changes
            return outcome

        stacks = [stack for stack in self._stacks if stack.name in self._updated and stack.name in self._created]
        self._each("update", stacks, work, reverse=False)
        if not any(row.changed for row in self.result.rows.values()):
            self._fail("", "update: the second assembly changes nothing, so the update shows nothing")

    def _delete(self) -> None:
        expected = self._resources()
        self._lift_protection(View(aws=self._aws, resources=expected))

        for stack in self._stacks:
            if stack.termination_protection and stack.name in self._created:
                self._tally(
                    stack.name,
                    f"{stack.name}: termination protection refuses a deletion",
                    lambda stack=stack: _assert(  # type: ignore[misc]
                        deploy.refuses_deletion(self._aws, stack), "the stack was deleted all the same"
                    ),
                )
        if self._cli:
            self._cli.destroy()

        def work(stack: Stack) -> deploy.Outcome:
            return deploy.look(self._aws, stack) if self._cli else deploy.delete(self._aws, stack)

        self._each("delete", [stack for stack in self._stacks if stack.name in self._alive], work, reverse=True)
        self._verify_gone(expected)

    def _lift_protection(self, view: View) -> None:
        """Switch off the services' own deletion protection of what the templates do not retain, as an operator must."""
        kept = self._retained()
        for resource in view.resources:
            if (resource.stack, resource.logical_id) in kept or not protected(resource):
                continue
            if resource.type == "AWS::DynamoDB::Table":
                view.client("dynamodb", resource).update_table(TableName=resource.id, DeletionProtectionEnabled=False)
            elif resource.type == "AWS::RDS::DBCluster":
                view.client("rds", resource).modify_db_cluster(
                    DBClusterIdentifier=resource.id, DeletionProtection=False, ApplyImmediately=True
                )
            elif resource.type == "AWS::ElasticLoadBalancingV2::LoadBalancer":
                view.client("elbv2", resource).modify_load_balancer_attributes(
                    LoadBalancerArn=resource.id,
                    Attributes=[{"Key": "deletion_protection.enabled", "Value": "false"}],
                )

    def _retained(self) -> set[tuple[str, str]]:
        return {
            (stack.name, logical_id)
            for stack in self._stacks
            for logical_id, resource in self._updated.get(stack.name, stack).resources.items()
            if resource.definition.get("DeletionPolicy") in RETAINING
        }

    # -- verifying

    def _resources(self, kind: str = "resources") -> tuple[Resource, ...]:
        found = self._aws.ask("overview")[kind]
        paths = {
            (stack.name, logical_id): resource.path
            for stack in self._stacks
            for logical_id, resource in stack.resources.items()
        }
        made = []
        for key, item in found.items():
            account, region, stack, logical_id = key.split("|")
            if stack not in self.result.rows:
                continue  # what the bootstrap made is not the assembly's
            made.append(
                Resource(
                    stack=stack,
                    account=account,
                    region=region,
                    logical_id=logical_id,
                    type=item["type"],
                    id=str(item["id"]),
                    properties=item["properties"],
                    attributes=item["attributes"],
                    path=paths.get((stack, logical_id), logical_id),
                )
            )
        return tuple(made)

    def _tally(self, stack: str, title: str, run: Callable[[], None]) -> bool:
        """Run one check, count it, and say whether it holds."""
        row = self.result.rows.get(stack)
        problem = ""
        try:
            run()
        except AssertionError as error:
            problem = str(error) or "broken"
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        with self._lock:
            if row is not None:
                row.checks += 1
                row.passed += not problem
        if problem:
            self._fail(stack, f"{title}: {problem}")
        return not problem

    def _verify_all(self) -> None:
        view = View(aws=self._aws, resources=self._resources())
        for resource in view.resources:
            self._instances.setdefault(resource.type, []).append(resource.properties)
        steps = [
            (resource, title, run) for resource in view.resources for title, run in self._checks_of(resource, view)
        ]
        self._progress.step("verify", 0, len(steps), "through the service APIs")
        with ThreadPoolExecutor(CHECK_THREADS) as pool:
            for _ in pool.map(lambda step: self._tally(step[0].stack, f"{step[0]}: {step[1]}", step[2]), steps):
                pass
        home = self._stacks[-1].name if self._stacks else ""
        for says, run in SCENARIOS:
            self._try(home, says, run, view)
        self._progress.step("verify", len(steps), len(steps), "checked")

    def _try(self, home: str, says: str, run: Scenario, view: View) -> None:
        """Run one scenario; one that asked no service found nothing deployed that it is about."""
        asked, began = view.asked, self._progress.seconds
        done = self._tally(home, says, lambda: run(view))
        before = self.result.scenarios.get(says, Tried())
        self.result.scenarios[says] = Tried(
            times=before.times + (view.asked > asked),
            broken=before.broken or not done,
            seconds=before.seconds + self._progress.seconds - began,
        )

    def _checks_of(self, resource: Resource, view: View) -> list[tuple[str, Callable[[], None]]]:
        steps: list[tuple[str, Callable[[], None]]] = []
        if resource.type in DESCRIPTIONS:
            steps.append(("is as the template says", lambda: self._matches(resource, view)))
        for says, run in CHECKS.get(resource.type, []):
            steps.append((says, lambda run=run: run(resource, view)))  # type: ignore[misc]
        return steps

    def _matches(self, resource: Resource, view: View) -> None:
        description = DESCRIPTIONS[resource.type]
        client = self._aws.client(description.service, resource.account, resource.region)
        difference = compare(dict(resource.properties), description.ask(client, resource, view), description.rename)
        wrong = {path: text for path, text in difference.wrong.items() if not self._honesty.excuse(resource.type, path)}
        with self._lock:
            for path in difference.absent:
                self._unkept.setdefault((resource.type, path), set()).add(resource.stack)
        _assert(not wrong, "; ".join(f"{path}: {text}" for path, text in sorted(wrong.items())))

    def _judge(self) -> None:
        """Compare what is only recorded, or not kept, with the committed list."""
        overview = self._aws.ask("overview")
        recorded: dict[str, set[str]] = {}
        kept = {tuple(key.split("|", 3)) for key in overview["recorded"]}
        for key, item in overview["resources"].items():
            account, region, stack, _ = key.split("|")
            if stack in self.result.rows and (account, region, item["type"], item["id"]) in kept:
                recorded.setdefault(item["type"], set()).add(stack)
                self.result.rows[stack].recorded += 1
        for key, item in overview["unread"].items():
            stack = key.split("|")[2]
            if item["type"] not in recorded and stack in self.result.rows:
                for path in item["properties"]:
                    self._unkept.setdefault((item["type"], path), set()).add(stack)
        present = set(self._instances)
        for text in self._honesty.judge_recorded(recorded, present):
            self._fail("", text)
        for text in self._honesty.judge_properties(self._unkept, self._instances):
            self._fail("", text)

    def _verify_gone(self, expected: tuple[Resource, ...]) -> None:
        """What the templates retain is still there, everything else is not; the services say so."""
        view = View(aws=self._aws, resources=expected)
        kept = self._retained()
        for resource in expected:
            retained = (resource.stack, resource.logical_id) in kept
            self.result.rows[resource.stack].retained += retained
            if resource.type in DESCRIPTIONS:
                says = "is retained" if retained else "is gone"
                self._tally(
                    resource.stack,
                    f"{resource}: {says}",
                    lambda resource=resource, retained=retained: self._there(resource, view, retained),  # type: ignore[misc]
                )
        self._progress.step("delete", len(self._stacks), len(self._stacks), "verified")

    def _there(self, resource: Resource, view: View, retained: bool) -> None:
        description = DESCRIPTIONS[resource.type]
        client = self._aws.client(description.service, resource.account, resource.region)
        try:
            there = bool(description.ask(client, resource, view))
        except Exception as error:
            if not checks.absent(error):
                raise
            there = False
        _assert(there == retained, "it is still there" if there else "it is gone, though the template retains it")


def protected(resource: Resource) -> bool:
    """Whether the service itself refuses to delete this resource."""
    attributes = {item["Key"]: item["Value"] for item in resource.properties.get("LoadBalancerAttributes") or []}
    values = (
        resource.properties.get("DeletionProtectionEnabled"),
        resource.properties.get("DeletionProtection"),
        attributes.get("deletion_protection.enabled"),
    )
    return any(str(value).lower() == "true" for value in values)


def _assert(condition: bool, text: str) -> None:
    if not condition:
        raise AssertionError(text)


def _wanted(stack: Stack) -> set[str]:
    """Logical ids a deployment of this template makes; the reference has no conditions of its own but the metadata's."""
    return {logical_id for logical_id, resource in stack.resources.items() if "Condition" not in resource.definition}


def issuer_names(assembly: Assembly) -> tuple[str, ...]:
    """Host names of the OIDC issuers in function environments."""
    names: set[str] = set()
    for _, resource in assembly.resources("AWS::Lambda::Function"):
        variables = resource.properties.get("Environment", {}).get("Variables", {})
        names |= set(re.findall(r"https://([a-z0-9.-]+)", " ".join(str(value) for value in variables.values())))
    return tuple(
        sorted(name for name in names if not name.endswith("amazonaws.com") or name.startswith("cognito-idp."))
    )


def organization_of(assembly: Assembly) -> str:
    """The organization id the templates speak of, or nothing."""
    for stack in assembly.stacks:
        found = re.search(r"\bo-[a-z0-9]{10,32}\b", str(stack.template))
        if found:
            return found.group()
    return ""
