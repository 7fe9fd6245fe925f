"""The documents for an insurer's engineers: `/insurer/docs`."""

from __future__ import annotations

from marketplace.rest.documents import Documents

DOCUMENTS = Documents(
    "insurer",
    "/insurer/docs",
    "Documents for insurers · 保险公司接入文档",
    ("insurer-openapi.json", "openapi.json"),
)
