"""Types of arguments that several commands share. Each refuses with the end of a sentence that says what is allowed."""

from __future__ import annotations

import re

import click

from labsupport.core.escape import printable

_SETTING_NAME = re.compile(r"[A-Za-z0-9_]+(?:[.-][A-Za-z0-9_]+)*")


class ClusterName(click.ParamType[str]):
    """The name of a cluster: it becomes the name of files and of environment variables' values."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from labsupport.cluster.spec import NAME

        if not NAME.fullmatch(value):
            self.fail(
                f"{printable(value, limit=40)!r} is no name for a cluster: use up to 30 small letters, digits and "
                "hyphens, beginning with a letter",
                param,
                ctx,
            )
        return value


class Setting(click.ParamType[tuple[str, str]]):
    """`dotted.name=value`, one of Kafka's own settings."""

    name = "setting"

    def convert(
        self, value: str | tuple[str, str], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, content = value.partition("=")
        if not equals:
            self.fail(f"{value!r} has no '=': write it as log.retention.ms=60000", param, ctx)
        if not _SETTING_NAME.fullmatch(name.strip()):
            self.fail(f"{name!r} is no name of a setting: write it as log.retention.ms=60000", param, ctx)
        if "\n" in content or "\r" in content:
            self.fail(f"the value of {name} has a line break, which would begin another setting", param, ctx)
        return name.strip(), content.strip()


class WholeNumber(click.ParamType[int]):
    """A whole number between two bounds; click's own type says the same less plainly."""

    name = "integer"

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        allowed = f"a whole number from {self.least} to {self.most} is needed"
        if not re.fullmatch(r"[+-]?[0-9]{1,9}", str(value)):
            self.fail(f"{value!r} cannot be read: {allowed}", param, ctx)
        number = int(value)
        if not self.least <= number <= self.most:
            self.fail(f"{number} will not do: {allowed}", param, ctx)
        return number
