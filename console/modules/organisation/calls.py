"""Divisions and departments for integrators."""

from typing import Annotated

import msgspec

from console.core.api import (
    ApiCall,
    ApiOperation,
    Both,
    Cursor,
    Limit,
    Next,
    paged,
    said,
)
from console.core.api_scopes import ORGANISATION_READ
from console.core.permissions import stem
from console.modules.organisation.api import Level, OrganisationApi
from qingting.contract.base import Strict

ROWS = 100
Code = Annotated[
    str,
    said("12 位区划代码", "Division code of 12 digits", pattern=r"^\d{12}$"),
]


class ListParams(Strict, frozen=True, kw_only=True):
    """A page of a list."""

    limit: Limit = ROWS
    cursor: Cursor | None = None


class DepartmentParams(Strict, frozen=True, kw_only=True):
    """A page of departments, of one division with all below it where one is named."""

    division: Code | None = None
    limit: Limit = ROWS
    cursor: Cursor | None = None


class ApiDivision(msgspec.Struct, frozen=True, kw_only=True):
    """A division (行政区划)."""

    code: str
    parent: Annotated[str, said("上级区划，市级为空", "The one above, empty for the city")]
    name: str
    name_en: str
    level: Level


class DivisionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Divisions by code, so that each comes after what it is part of."""

    divisions: list[ApiDivision]
    next: Next


class ApiDepartment(msgspec.Struct, frozen=True, kw_only=True):
    """A department (部门)."""

    id: str
    parent: Annotated[str, said("上级部门，没有为空", "The one above, or empty")]
    division: str
    name: str
    name_en: str
    uscc: Annotated[str, said("统一社会信用代码", "Unified social credit code, or empty")]


class DepartmentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Departments by id."""

    departments: list[ApiDepartment]
    next: Next


def calls(
    organisation: OrganisationApi,
) -> tuple[ApiOperation[ListParams, None, DivisionPage], ...]:
    """Calls over the organisation's interface."""

    async def divisions(call: ApiCall[ListParams, None]) -> DivisionPage:
        found = await organisation.divisions(call.uow)
        page, behind = paged(found, lambda one: one.code, call.params.cursor, call.params.limit)
        return DivisionPage(
            divisions=[
                ApiDivision(
                    code=one.code,
                    parent=one.parent,
                    name=one.name,
                    name_en=one.name_en,
                    level=one.level,
                )
                for one in page
            ],
            next=behind,
        )

    return (
        ApiOperation(
            name="listDivisions",
            method="GET",
            path="/divisions",
            tag="organisation",
            scope=ORGANISATION_READ,
            summary=Both("列出行政区划", "List divisions"),
            purpose=Both(
                "全市的区划：市、县区、乡镇街道、村社区，按代码排列。",
                "The city's divisions down to villages and communities, by code.",
            ),
            params=ListParams,
            result=DivisionPage,
            run=divisions,
        ),
    )


def department_calls(
    organisation: OrganisationApi,
) -> tuple[ApiOperation[DepartmentParams, None, DepartmentPage], ...]:
    """Calls over the organisation's interface."""

    async def departments(call: ApiCall[DepartmentParams, None]) -> DepartmentPage:
        start, scope = (
            stem(call.params.division or ""),
            call.subject.scope(ORGANISATION_READ.permission),
        )
        every = sorted(await organisation.departments(call.uow), key=lambda one: one.id)
        found = [
            one
            for one in every
            if one.division.startswith(start)
            and (scope.has_department(one.id, one.division) or scope.below(one.division))
        ]
        page, behind = paged(found, lambda one: one.id, call.params.cursor, call.params.limit)
        return DepartmentPage(
            departments=[
                ApiDepartment(
                    id=one.id,
                    parent=one.parent,
                    division=one.division,
                    name=one.name,
                    name_en=one.name_en,
                    uscc=one.uscc,
                )
                for one in page
            ],
            next=behind,
        )

    return (
        ApiOperation(
            name="listDepartments",
            method="GET",
            path="/departments",
            tag="organisation",
            scope=ORGANISATION_READ,
            summary=Both("列出部门", "List departments"),
            purpose=Both(
                "接入范围内和其上级的部门，或其中一个区划（含下级）的部门。",
                "Departments within reach and above it, or those of one division with all below it.",
            ),
            params=DepartmentParams,
            result=DepartmentPage,
            run=departments,
        ),
    )
