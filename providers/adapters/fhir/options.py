"""What is agreed with one FHIR server: its settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from marketplace.core.text import Text
from providers.adapters.settings import (
    TEST_SETTINGS,
    About,
    AdapterSettings,
    address,
    choice,
    read_settings,
    text,
    whole,
)
from providers.port import Connection

DEFAULT_SCOPE = (
    "system/Schedule.read system/Slot.read system/Slot.write system/Appointment.read system/Appointment.write "
    "system/DiagnosticReport.read system/Observation.read system/Binary.read"
)


class FhirSettings(AdapterSettings):
    """What such a provider agrees with us."""

    about = About(
        Text("HL7 FHIR R4", "HL7 FHIR R4"),
        Text(
            "提供 FHIR R4 接口的系统：Schedule、Slot、Appointment、DiagnosticReport。",
            "A system with a FHIR R4 server: Schedule, Slot, Appointment, DiagnosticReport.",
        ),
        Text("密钥、私钥或令牌", "Secret, private key or token"),
        Text(
            "与登录方式一致：私钥为 PEM 格式，连同首尾两行一起粘贴。",
            "As the way of signing in wants it: paste a private key in PEM with its first and last line.",
        ),
        long=True,
    )

    auth = choice(
        Text("我们如何登录", "How we sign in"),
        {
            "private_key_jwt": Text("私钥签名（SMART）", "Private key (SMART)"),
            "client_credentials": Text("客户端密钥（OAuth 2.0）", "Client secret (OAuth 2.0)"),
            "bearer": Text("固定令牌", "A token that stays the same"),
            "none": Text("不需要登录", "Not at all"),
        },
    )
    client_id = text(
        Text("我们的客户端编号", "Our client id"),
        Text("在贵方授权服务器登记的编号。", "As it is registered at your authorization server."),
    )
    token_url = address(
        Text("令牌地址", "Token endpoint"),
        Text(
            "留空则读取服务器的 .well-known/smart-configuration。",
            "Blank: the server's .well-known/smart-configuration tells it.",
        ),
    )
    scope = text(
        Text("申请的权限范围", "Scopes to ask for"),
        Text("留空则申请预约和报告所需的全部范围。", "Blank: all that booking and reports need."),
        default=DEFAULT_SCOPE,
        longest=2000,
    )
    key_id = text(
        Text("公钥编号（kid）", "Id of our key (kid)"),
        Text("我们的公钥在贵方登记的编号。", "Under which our public key is registered with you."),
    )
    algorithm = choice(
        Text("私钥签名算法", "Signature with the private key"),
        {"RS384": Text("RS384（RSA）", "RS384 (RSA)"), "ES384": Text("ES384（椭圆曲线）", "ES384 (elliptic curve)")},
    )
    identifier_system = text(
        Text("我们的标识系统", "System of our identifiers"),
        Text("写在预约和号源的 identifier 中。", "In the identifiers that we give bookings and slots."),
        default="urn:anxiang:booking",
    )
    service_type = text(
        Text("读取哪种服务的排班", "Service whose schedules are read"),
        Text("编码，或“系统|编码”。留空则读取全部排班。", "A code, or system|code. Blank: all schedules."),
    )
    offer_system = text(
        Text("项目编码的系统", "System of the codes of what is booked"),
        Text("留空则不写系统。", "Blank: none is named."),
    )
    books_as = choice(
        Text("新预约的状态", "Status of a new Appointment"),
        {
            "booked": Text("booked：即时确认", "booked: firm at once"),
            "pending": Text("pending：待贵方确认", "pending: you confirm it"),
            "proposed": Text("proposed：只是提议", "proposed: a proposal"),
        },
    )
    transactions = choice(
        Text("事务的执行方式", "How its transactions are carried out"),
        {
            "entries": Text("可能只执行一部分", "A part may be carried out"),
            "atomic": Text("全部成功或全部不执行", "All or nothing"),
        },
        Text("不确定时请选第一项。", "Choose the first one if you are not sure."),
    )
    page_size = whole(Text("每页读取的资源数", "Resources asked for at once"), 100, least=1, most=1000)
    overlap_seconds = whole(
        Text("读取变更时回看的秒数", "Seconds that a pull looks back"),
        300,
        least=0,
        most=86400,
        help=Text("避免漏掉晚提交的变更。", "So that what was committed late is not missed."),
    )


@dataclass(frozen=True)
class Options:
    """The settings, read. `atomic`: an Appointment that exists proves that its Slot was taken with it."""

    auth: Literal["none", "bearer", "client_credentials", "private_key_jwt"]
    client_id: str
    token_url: str
    scope: str
    key_id: str
    algorithm: Literal["RS384", "ES384"]
    identifier_system: str
    service_type: str
    offer_system: str
    books_as: Literal["booked", "pending", "proposed"]
    atomic: bool
    page_size: int
    overlap_seconds: int


def options_of(connection: Connection) -> Options:
    """The settings of a provider. Raises BadSettings."""
    known = read_settings(FhirSettings, connection.settings)
    read: dict[str, Any] = {name: value for name, value in known.items() if name not in TEST_SETTINGS}
    return Options(atomic=read.pop("transactions") == "atomic", **read)
