"""Machines: patched in a window, by a baseline that approves what protects, and listed."""

from __future__ import annotations

from collections.abc import Iterator

from assembly import Resource
from gate.control import control
from gate.world import World, as_list, at, truthy

LATEST_DAYS = 14
"""Security updates wait no longer than this for approval."""
PATCH, INVENTORY, TAG = "AWS-RunPatchBaseline", "AWS-GatherSoftwareInventory", "PatchGroup"


@control("maintenance.machine.patched", "AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::Instance")
def machines(machine: Resource, world: World) -> Iterator[str]:
    """Every machine bears the tag by which a window of its account and region patches it, and is looked over and listed.

    Fix: tag it PatchGroup (PropagateAtLaunch in a group), and make the stage's maintenance stack.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager.html
    """
    tags = [tag for tag in as_list(machine.properties.get("Tags")) if at(tag, "Key") == TAG]
    if not tags or not all(truthy(at(tag, "PropagateAtLaunch", default=True)) for tag in tags):
        yield f"it does not bear the tag {TAG}, so no window patches it"
    baselines = list(world.of_type("AWS::SSM::PatchBaseline", near=machine, same_region=True))
    groups = {world.text(group, one) for one in baselines for group in as_list(one.properties.get("PatchGroups"))}
    for tag in tags:
        if world.text(at(tag, "Value", default=""), machine) not in groups:
            yield "no baseline is for its patch group"
    windows = world.of_type("AWS::SSM::MaintenanceWindow", near=machine, same_region=True)
    if not any(not list(_faults(window, world)) for window in windows):
        yield "no window of its account and region installs updates"
    if machine.type == "AWS::AutoScaling::AutoScalingGroup" and not any(
        one.properties.get("Name") == PATCH
        and "Install" in as_list(at(one.properties, "Parameters", "Operation"))
        and any(at(target, "Key") == f"tag:{TAG}" for target in as_list(one.properties.get("Targets")))
        for one in world.of_type("AWS::SSM::Association", near=machine, same_region=True)
    ):
        yield "a machine that it starts between two windows is not patched then"
    associations = list(world.of_type("AWS::SSM::Association", near=machine, same_region=True))
    for document, purpose in ((PATCH, "looks for missing updates"), (INVENTORY, "lists what is installed")):
        if not any(_regularly(one, document) for one in associations):
            yield f"nothing regularly {purpose}"


@control("maintenance.window.works", "AWS::SSM::MaintenanceWindow")
def window_works(window: Resource, world: World) -> Iterator[str]:
    """A maintenance window is open, and installs what the baseline approves on whatever bears the tag.

    Fix: leave it enabled, and register a target by tag-key PatchGroup and a task AWS-RunPatchBaseline that installs.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/maintenance-windows.html
    """
    yield from _faults(window, world)
    if not any(
        truthy(one.properties.get("DefaultBaseline"))
        for one in world.of_type("AWS::SSM::PatchBaseline", near=window, same_region=True)
    ):
        yield "no baseline of ours is for machines whose patch group none names"


@control("maintenance.baseline.approves", "AWS::SSM::PatchBaseline")
def baseline(resource: Resource, _world: World) -> Iterator[str]:
    """A patch baseline approves security updates of every severity within two weeks, and rejects none.

    Fix: add a rule with CLASSIFICATION Security, SEVERITY * and ApproveAfterDays of at most 14.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-predefined-and-custom-patch-baselines.html
    """
    for rule in as_list(at(resource.properties, "ApprovalRules", "PatchRules")):
        wanted = {
            at(one, "Key"): as_list(at(one, "Values")) for one in as_list(at(rule, "PatchFilterGroup", "PatchFilters"))
        }
        days = int(at(rule, "ApproveAfterDays", default=LATEST_DAYS + 1))
        if {"Security", "*"} & set(wanted.get("CLASSIFICATION", ["*"])) and days <= LATEST_DAYS:
            if "*" in wanted.get("SEVERITY", ["*"]):
                break
    else:
        yield f"security updates are not all approved within {LATEST_DAYS} days"
    if resource.properties.get("RejectedPatches"):
        yield "it rejects updates"


def _faults(window: Resource, world: World) -> Iterator[str]:
    if not truthy(window.properties.get("Enabled", True)):
        yield "it is closed"
    if not window.properties.get("Schedule"):
        yield "it has no schedule"
    targets = list(world.pointing_at(window, "WindowId", "AWS::SSM::MaintenanceWindowTarget"))
    if not any(
        at(one, "Key") == "tag-key" and TAG in as_list(at(one, "Values"))
        for target in targets
        for one in as_list(target.properties.get("Targets"))
    ):
        yield f"it is for no machine by the tag {TAG}"
    tasks = world.pointing_at(window, "WindowId", "AWS::SSM::MaintenanceWindowTask")
    if not any(_installs(task) for task in tasks):
        yield "nothing is installed in it"


def _installs(task: Resource) -> bool:
    given = at(task.properties, "TaskInvocationParameters", "MaintenanceWindowRunCommandParameters", "Parameters")
    return (
        task.properties.get("TaskArn") == PATCH
        and "Install" in as_list(at(given, "Operation"))
        and bool(task.properties.get("Targets"))
    )


def _regularly(association: Resource, document: str) -> bool:
    properties = association.properties
    everything = any(
        at(one, "Key") == "InstanceIds" and "*" in as_list(at(one, "Values"))
        for one in as_list(properties.get("Targets"))
    )
    return properties.get("Name") == document and everything and bool(properties.get("ScheduleExpression"))
