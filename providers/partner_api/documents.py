"""The documents for a provider's engineers: `/partner/docs`."""

from __future__ import annotations

from marketplace.rest.documents import Documents

DOCUMENTS = Documents(
    "partner",
    "/partner/docs",
    "Documents for providers · 服务机构接入文档",
    (
        "provider-protocol.yaml",
        "day-capacity-protocol.md",
        "day-capacity-protocol.zh.md",
        "fhir.md",
        "fhir.zh.md",
        "partner-openapi.json",
        "openapi.json",
    ),
)
