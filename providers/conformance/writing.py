"""A run in words for a terminal, and as JUnit XML for a build."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from providers.conformance.step import Outcome, RunResult, StepResult

MARKS = {Outcome.PASSED: "passed   ", Outcome.FAILED: "FAILED   ", Outcome.NOT_TRIED: "not tried"}


def line(step: StepResult) -> str:
    """A step as it ends; of a failed one what was expected, what came, and the calls that were made."""
    lines = [f"{MARKS[step.outcome]}  {step.name}: {step.says.en}"]
    if step.outcome is Outcome.FAILED:
        lines += [f"           expected: {step.expected}", f"           came:     {step.came}"]
        lines += [f"           {each}" for each in step.transcript]
    elif step.outcome is Outcome.NOT_TRIED:
        lines.append(f"           because {step.came}")
    return "\n".join(lines)


def summary(result: RunResult) -> str:
    """What is proved, and what was left behind."""
    lines = [""]
    for capability in result.capabilities:
        steps = result.of(capability)
        passed = sum(step.outcome is Outcome.PASSED for step in steps)
        word = "certified" if result.certified(capability) else "NOT certified"
        lines.append(f"{capability.value:12} {word:14} {passed} of {len(steps)} steps")
    lines += [f"left behind: {each}" for each in result.left]
    return "\n".join(lines)


def junit(result: RunResult) -> bytes:
    """The run as JUnit XML: a suite for each capability. A step that was not tried is skipped."""
    root = ElementTree.Element("testsuites", name="conformance")
    for capability in result.capabilities:
        steps = result.of(capability)
        about = {
            "name": capability.value,
            "tests": str(len(steps)),
            "failures": str(sum(step.outcome is Outcome.FAILED for step in steps)),
            "skipped": str(sum(step.outcome is Outcome.NOT_TRIED for step in steps)),
            "errors": "0",
        }
        suite = ElementTree.SubElement(root, "testsuite", about)
        for step in steps:
            _case(suite, step)
    ElementTree.indent(root)
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _case(suite: ElementTree.Element, step: StepResult) -> None:
    about = {"classname": f"conformance.{step.proves.value}", "name": step.name, "time": f"{step.seconds:.3f}"}
    case = ElementTree.SubElement(suite, "testcase", about)
    if step.outcome is Outcome.NOT_TRIED:
        ElementTree.SubElement(case, "skipped", message=_plain(str(step.came or "")))
    elif step.outcome is Outcome.FAILED:
        message = _plain(f"expected {step.expected}; came {step.came}")
        failure = ElementTree.SubElement(case, "failure", message=message)
        failure.text = "\n".join(_plain(str(each)) for each in step.transcript)


def _plain(text: str) -> str:
    """Without what XML has no way to write."""
    return "".join(_characters(text))


def _characters(text: str) -> Iterator[str]:
    for each in text:
        code = ord(each)
        legal = code in (9, 10) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code >= 0x10000
        yield each if legal else "?"
