"""The demonstration's provider without IT: its people work at the provider desk."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from marketplace.catalog.new_provider import CodeTaken, add_provider
from marketplace.core.clock import HOME_ZONE
from providers.staff.members import add_member
from vip.operators.operators import LoginTaken
from vip.principal import MemberRole
from vip.signin.signin import require_development

PROVIDER = "changning"
NAME_ZH, NAME_EN = "长宁门诊（示范）", "Changning Clinic (demo)"
PASSWORD = "lantern-harbour-27"  # noqa: S105 (printed at each start, in development only)


@dataclass(frozen=True)
class DemoMember:
    """Somebody who can sign in at the desk."""

    login: str
    name: str
    role: MemberRole
    role_zh: str
    role_en: str


MEMBERS = (
    DemoMember("fang", "方敏", "manager", "负责人", "manager"),
    DemoMember("mei", "梅若", "front_desk", "前台", "front desk"),
    DemoMember("lin", "林书言", "clinician", "医生", "clinician"),
    DemoMember("zhou", "周予安", "clinician", "医生", "clinician"),
)


def load_desk(now: datetime) -> tuple[DemoMember, ...]:
    """Make the provider and its members as far as they are missing; returns the sign-ins to print. Running it again
    changes nothing. Raises DevelopmentOnly elsewhere."""
    require_development()
    with suppress(CodeTaken):
        add_provider(PROVIDER, NAME_ZH, NAME_EN, adapter="desk", time_zone=HOME_ZONE, actor="demonstration", now=now)
    for one in MEMBERS:
        with suppress(LoginTaken):
            add_member(PROVIDER, one.login, PASSWORD, one.name, one.role, now=now)
    return MEMBERS
