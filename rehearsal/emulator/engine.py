"""Runs a `Spec`: template properties onto the input of a service operation, as botocore's model describes it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
import botocore.validate
import jmespath
from botocore.exceptions import ClientError

from rehearsal.emulator.spec import SPECS, Context, Props, Spec, Value
from rehearsal.emulator.tracker import plain, track

RECORDED: dict[tuple[str, str, str, str], Props] = {}
"""What is only recorded: (account, region, type, physical id) and the parameters its service would have received."""

SESSION = botocore.session.get_session()
"""One for all clients and models: each session would read the models of the services anew, and keep them."""

_models: dict[str, Any] = {}
_models_lock = threading.Lock()


def operation(service: str, method: str) -> Any:
    """The model of an operation named the way clients name it (`create_trail`)."""
    with _models_lock:
        if service not in _models:
            _models[service] = SESSION.get_service_model(service)
        model = _models[service]
    wanted = method.replace("_", "").lower()
    for name in model.operation_names:
        if name.lower() == wanted:
            return model.operation_model(name)
    raise LookupError(f"{service} has no operation {method}")


def fit(shape: Any, value: Any, lost: set[str], path: str = "") -> Any:
    """`value` in the form of a botocore shape: members by name in any case, scalars coerced, the rest put in `lost`."""
    kind = shape.type_name
    if kind == "structure":
        return _fit_structure(shape, value, lost, path)
    if kind == "list":
        if isinstance(value, dict) and shape.member.type_name == "structure":
            value = [{"Key": key, "Value": item} for key, item in value.items()]
        return [fit(shape.member, item, lost, path) for item in (value if isinstance(value, list) else [value])]
    if kind == "map":
        if isinstance(value, list):
            value = {item["Key"]: item["Value"] for item in value}
        return {key: fit(shape.value, item, lost, f"{path}.{key}") for key, item in value.items()}
    return _fit_scalar(kind, value)


def _fit_structure(shape: Any, value: Any, lost: set[str], path: str) -> Any:
    if not isinstance(value, dict):
        return value
    members = {name.lower(): name for name in shape.members}
    fitted = {}
    for key, item in value.items():
        place = f"{path}.{key}" if path else key
        name = members.get(key.lower())
        if name is None:
            lost.add(place)
        elif item is not None:
            fitted[name] = fit(shape.members[name], item, lost, place)
    return fitted


def _fit_scalar(kind: str, value: Any) -> Any:
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if kind == "string" and not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def problems(shape: Any, value: Any, path: str = "") -> list[str]:
    """Enumerated values of `value` that the service model does not know."""
    found: list[str] = []
    if shape.type_name == "structure" and isinstance(value, dict):
        for key, item in value.items():
            found += problems(shape.members[key], item, f"{path}.{key}" if path else key)
    elif shape.type_name == "list" and isinstance(value, list):
        for item in value:
            found += problems(shape.member, item, path)
    elif shape.type_name == "string" and getattr(shape, "enum", None) and value not in shape.enum:
        found.append(f"{path}: {value!r} is none of {', '.join(shape.enum)}")
    return found


def parameters(
    spec: Spec, method: str, props: Props, context: Context, *, seen: set[str], more: Props | None = None
) -> Props:
    """The parameters of `method` for these properties, noting in `seen` every path that reached them."""
    shape = operation(spec.service, method).input_shape
    source = {
        spec.rename.get(key, key): (key, item)
        for key, item in plain(props).items()
        if key not in spec.drop and (spec.only is None or key in spec.only)
    }
    target: Props = {name: item for name, (_, item) in source.items()}
    lost: set[str] = set()
    if spec.wrap:
        fitted = {spec.wrap: fit(shape.members[spec.wrap], target, lost)} if shape else {}
    else:
        fitted = fit(shape, target, lost) if shape else {}
    back = {name: key for name, (key, _) in source.items()}
    _note(plain(props), {_restore(path, back) for path in lost}, set(spec.drop), spec.only, seen)
    added = {**(spec.extra(track(props, seen), context) if spec.extra else {}), **(more or {})}
    if added and shape:
        fitted.update(fit(shape, plain(added), set()))
    return dict(fitted)


def _restore(path: str, back: Mapping[str, str]) -> str:
    head, dot, rest = path.partition(".")
    return back.get(head, head) + dot + rest


def _note(props: Props, lost: set[str], drop: set[str], only: tuple[str, ...] | None, seen: set[str]) -> None:
    for key, item in props.items():
        if key not in drop and (only is None or key in only):
            _note_read(item, key, lost, seen)


def _note_read(value: Any, path: str, lost: set[str], seen: set[str]) -> None:
    if path in lost:
        return
    if not any(other.startswith(path + ".") for other in lost):
        seen.add(path + "*")
        return
    seen.add(path)
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            for key, child in item.items():
                _note_read(child, f"{path}.{key}", lost, seen)


def call(spec: Spec, method: str, params: Props, context: Context) -> Any:
    """Call the service, or, where none knows the type, check the parameters against its model."""
    if not spec.recorded:
        return getattr(context.client(spec.service), method)(**params)
    model = operation(spec.service, method)
    if model.input_shape:
        report = botocore.validate.ParamValidator().validate(params, model.input_shape)
        wrong = ([report.generate_report()] if report.has_errors() else []) + problems(model.input_shape, params)
        if wrong:
            raise ValueError(f"{spec.service}:{method} would refuse this {spec.type}: {'; '.join(wrong)}")
    return {}


def create(cfn_type: str, props: Props, context: Context, seen: set[str]) -> tuple[str, dict[str, Any]]:
    """Make a resource; returns its physical id and attributes."""
    spec = SPECS[cfn_type]
    props = _own_tags(props)
    params = parameters(spec, spec.create, props, context, seen=seen)
    answer = call(spec, spec.create, params, context)
    tracked = track(props, seen)
    identity = str(_value(spec.id, tracked, answer, context))
    attributes = {name: _value(value, tracked, answer, context) for name, value in spec.attributes.items()}
    if spec.recorded:
        RECORDED[context.account, context.region, cfn_type, identity] = params
    if spec.after:
        spec.after(context, identity, tracked, answer)
    return identity, {name: value for name, value in attributes.items() if value is not None}


def update(
    cfn_type: str, identity: str, old: Props, new: Props, *, attributes: Props, context: Context
) -> tuple[str, dict[str, Any]]:
    """Change a resource in place, or replace it: the new one first, then the old one goes."""
    spec = SPECS[cfn_type]
    seen: set[str] = set()
    if spec.update == "create":
        return create(cfn_type, new, context, seen)
    if spec.update == "replace" and spec.recorded:
        made, fresh = create(cfn_type, new, context, seen)
        return made, fresh
    if spec.update == "replace":
        made, fresh = create(cfn_type, new, context, seen)
        if made != identity:
            delete(cfn_type, identity, old, attributes, context)
        return made, fresh
    new = _own_tags(new)
    more = spec.update_with(identity, track(new, seen), attributes) if spec.update_with else {}
    call(spec, spec.update, parameters(spec, spec.update, new, context, seen=seen, more=more), context)
    if spec.after:
        spec.after(context, identity, track(new, seen), {})
    return identity, attributes


def delete(cfn_type: str, identity: str, props: Props, attributes: Mapping[str, Any], context: Context) -> None:
    """Remove a resource; one that is gone already is no error."""
    spec = SPECS[cfn_type]
    if spec.recorded:
        RECORDED.pop((context.account, context.region, cfn_type, identity), None)
        return
    if spec.before_delete:
        spec.before_delete(context, identity, props)
    if not spec.delete:
        return
    params = spec.delete_with(identity, props, attributes) if spec.delete_with else {}
    shape = operation(spec.service, spec.delete).input_shape
    try:
        call(spec, spec.delete, fit(shape, plain(params), set()) if shape else {}, context)
    except ClientError as error:
        if not _gone(error):
            raise


def _own_tags(props: Props) -> Props:
    """Without the tags CloudFormation adds, which no service accepts from a caller."""
    made = plain(props)
    if isinstance(made.get("Tags"), list):
        made["Tags"] = [tag for tag in made["Tags"] if not str(tag.get("Key", "")).lower().startswith("aws:")]
    return dict(made)


def _gone(error: ClientError) -> bool:
    code = str(error.response.get("Error", {}).get("Code", ""))
    return "NotFound" in code or "NoSuch" in code or "Nonexist" in code


def _value(expression: Value, props: Props, answer: Any, context: Context) -> Any:
    if isinstance(expression, str):
        return jmespath.search(expression, answer)
    function: Callable[[Props, Any, Context], Any] = expression
    return function(props, answer, context)
