"""The list of commands, and click's words turned into ours: a usage error is one sentence that names the remedy."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence

import click

from labsupport.cli.edge import FAILED, MISUSED, say
from labsupport.core.escape import printable

_COMMANDS = {
    "up": "labsupport.cli.up",
    "status": "labsupport.cli.status",
    "env": "labsupport.cli.env",
    "tool": "labsupport.cli.tool",
    "down": "labsupport.cli.down",
    "replay": "labsupport.cli.replay",
    "claims": "labsupport.cli.claims",
    "doctor": "labsupport.cli.doctor",
    "image": "labsupport.cli.image",
    "kubernetes": "labsupport.cli.kubernetes",
    "service": "labsupport.cli.service",
    "progress": "labsupport.cli.progress",
    "reset": "labsupport.cli.learner",
    "restore": "labsupport.cli.learner",
}


class _Commands(click.Group):
    """Loads the module of a command when the command is asked for, in the order in which one meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[cmd_name]), cmd_name)
        return command


def _print_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from importlib import metadata

    try:
        version = metadata.version("kafka-lab")
    except metadata.PackageNotFoundError:  # run from a checkout that was not installed
        version = "(not installed: run from its source)"
    click.echo(f"kafka-lab {version}")
    ctx.exit()


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="In Jupyter's terminals the kafka-*.sh tools are on the PATH, and $BOOTSTRAP names the running cluster.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
@click.pass_context
def kafka_lab(ctx: click.Context) -> None:
    """Real Kafka clusters on this machine, to be learned from and broken.

    Try `kafka-lab up`, then `kafka-lab tool topics --list`, and `kafka-lab down`.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run_command(arguments: list[str]) -> int:
    """Parse and run; click's own standalone mode is not used, since it prints several lines for a usage error."""
    try:
        with kafka_lab.make_context("kafka-lab", arguments) as context:
            result = kafka_lab.invoke(context)
    except click.exceptions.Exit as exit_:  # --help and --version
        return exit_.exit_code
    except click.Abort:  # a question that was not answered
        return say("Nothing was done, since the question was not answered; `--yes` answers it.", FAILED)
    except click.ClickException as error:
        return say(printable(sentence(error, arguments), limit=1000), MISUSED)
    return result if isinstance(result, int) else 0


def sentence(error: click.ClickException, arguments: Sequence[str] = ()) -> str:
    """The one sentence for a usage error: what is wrong with the line that was typed, and where to look."""
    path = _path(error, arguments)
    match error:
        case click.exceptions.NoSuchCommand():
            return f"There is no command {error.command_name!r}; {_nearest_commands(error.command_name)}."
        case click.NoSuchOption():
            near = f"the nearest is {error.possibilities[0]}, and " if error.possibilities else ""
            return f"`{path}` has no option {error.option_name}; {near}`{path} --help` lists them."
        case click.MissingParameter():
            return f"`{path}` needs {_name_of(error)}; `{path} --help` says more."
        case click.BadParameter():
            return f"For {_name_of(error)}, {error.message.rstrip('.')}; `{path} --help` says more."
    return f"`{path}` cannot be meant so: {_lower_first(error.format_message().rstrip('.'))}; see `{path} --help`."


def _path(error: click.ClickException, arguments: Sequence[str]) -> str:
    """The command that was typed. Click's option parser does not say; then it is the first word that is one."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return error.ctx.command_path
    return " ".join(["kafka-lab", *[word for word in arguments if word in _COMMANDS][:1]])


def _nearest_commands(word: str) -> str:
    near = difflib.get_close_matches(word, _COMMANDS, n=1, cutoff=0.5)
    if near:
        return f"the nearest is `kafka-lab {near[0]}`, and `kafka-lab --help` lists them"
    *most, last = _COMMANDS
    return f"there are {', '.join(most)} and {last}"


def _name_of(error: click.BadParameter) -> str:
    parameter = error.param
    if parameter is None:
        return str(error.param_hint or "an argument")
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return (parameter.make_metavar(error.ctx) if error.ctx is not None else parameter.name or "an argument").strip("[]")


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
