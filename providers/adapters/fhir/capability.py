"""What a server must be able to do for us, by its CapabilityStatement (hl7.org/fhir/R4/capabilitystatement.html)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marketplace.core.text import Text

VERSION = "4.0"
NEEDED = {
    "Schedule": ("search-type",),
    "Slot": ("read", "search-type", "update"),
    "Appointment": ("read", "search-type", "create", "update"),
    "DiagnosticReport": ("read", "search-type"),
    "Observation": ("search-type",),
}
SEARCHED = {
    "Slot": ("schedule", "start", "identifier"),
    "Appointment": ("identifier", "date"),
    "DiagnosticReport": ("identifier",),
}


def missing(statement: Mapping[str, Any]) -> Sequence[Text]:
    """What is missing, each in a sentence that names it; empty for a server that we can book at."""
    if statement.get("resourceType") != "CapabilityStatement":
        return [
            Text(
                "服务器的 /metadata 没有返回 CapabilityStatement。",
                "The server has no CapabilityStatement at /metadata.",
            )
        ]
    version = str(statement.get("fhirVersion", "none"))[:20]
    if version != VERSION and not version.startswith(VERSION + "."):
        return [
            Text(
                f"服务器使用 FHIR {version}，需要 R4（4.0）。", f"The server speaks FHIR {version}; R4 (4.0) is needed."
            )
        ]
    rest = next((each for each in _objects(statement, "rest") if each.get("mode") == "server"), None)
    if rest is None:
        return [Text("CapabilityStatement 没有描述服务器。", "The CapabilityStatement describes no server.")]
    said: list[Text] = []
    formats = statement.get("format")
    if isinstance(formats, list) and not any("json" in str(each) for each in formats):
        said.append(Text("服务器不支持 JSON。", "The server does not speak JSON."))
    if "transaction" not in _codes(rest, "interaction"):
        said.append(
            Text(
                "服务器不支持事务（系统交互 `transaction`）。",
                "The server takes no transactions (system interaction `transaction`).",
            )
        )
    resources = {str(each.get("type")): each for each in _objects(rest, "resource")}
    for kind, needed in NEEDED.items():
        said += _missing_of(kind, resources.get(kind), needed)
    return said


def _missing_of(kind: str, resource: Mapping[str, Any] | None, needed: Sequence[str]) -> list[Text]:
    if resource is None:
        return [Text(f"服务器没有 {kind}。", f"The server has no {kind}.")]
    can = _codes(resource, "interaction")
    said = [
        Text(f"{kind} 缺少交互 `{each}`。", f"{kind} lacks the interaction `{each}`.")
        for each in needed
        if each not in can
    ]
    searched = _codes(resource, "searchParam", "name")
    said += [
        Text(f"{kind} 不能按 `{each}` 查询。", f"{kind} cannot be searched by `{each}`.")
        for each in SEARCHED.get(kind, ())
        if each not in searched
    ]
    if kind == "Slot" and resource.get("versioning") == "no-version":
        said.append(
            Text("Slot 没有版本，可能被两人同时预约。", "Slot has no versions, so that two could book the same one.")
        )
    if kind == "Appointment" and resource.get("conditionalCreate") is not True:
        said.append(
            Text(
                "Appointment 不支持条件创建（`ifNoneExist`）。",
                "Appointment has no conditional create (`ifNoneExist`).",
            )
        )
    return said


def _objects(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = body.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _codes(body: Mapping[str, Any], name: str, of: str = "code") -> set[str]:
    return {str(each.get(of)) for each in _objects(body, name)}
