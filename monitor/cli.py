# SPDX-License-Identifier: Apache-2.0
"""The command line in; one of the program's entries called, its exit code out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from monitor.assets import Group
from monitor.bench.subject import Subject
from monitor.terminal import done, fetching, finished, guarded, out, playing, say, start, styled, until_interrupted

__all__ = ["app", "main"]

app = typer.Typer(
    name="lifesign",
    help="Watch live video calls and say, while they run, whether the faces in them are live people.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
config_app = typer.Typer(help="Check, show or describe the configuration.", no_args_is_help=True, rich_markup_mode=None)
events_app = typer.Typer(help="Describe the published events.", no_args_is_help=True, rich_markup_mode=None)
models_app = typer.Typer(help="List, check and describe the networks.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(config_app, name="config")
app.add_typer(events_app, name="events")
app.add_typer(models_app, name="models")

Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="YAML file; else LIFESIGN_CONFIG, ./lifesign.yaml …")
]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting; repeatable.")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]

Network = Annotated[str, typer.Argument(help="Name in `lifesign models list`, or FOLDER/NAME.")]


DEMO_LOGS = "log.level=warning"
"""The demo shows what MQTT carries; `--set log.level=info` shows the service's log as well."""


class EventFormat(StrEnum):
    """Notations of the event contract."""

    JSON_SCHEMA = "json-schema"
    ASYNCAPI = "asyncapi"


class VideoCodec(StrEnum):
    """What the test caller sends."""

    VP8 = "vp8"
    H264 = "h264"


def main() -> None:
    """Entry of the command `lifesign`."""
    guarded(lambda: app(prog_name="lifesign"))


@app.command()
def run(config: Config = None, changes: Changes = None, json: Json = False) -> None:
    """Run the service: WHIP server, configured pulls, HTTP API, MQTT."""
    settings = start(config, changes or ())
    from monitor.app import run as work

    done(work(settings, json=json))


@app.command()
def demo(config: Config = None, changes: Changes = None, json: Json = False) -> None:
    """Watch a real WebRTC call on this machine with one genuine and one forged participant."""
    settings = start(config, (DEMO_LOGS, *(changes or ())))
    from monitor.demo import demo as work

    done(work(settings, json=json))


@app.command()
def scan(
    files: Annotated[list[str], typer.Argument(metavar="FILE|URL", help="Recordings to judge as if they were live.")],
    config: Config = None,
    changes: Changes = None,
    json: Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when a file is alerted.")] = False,
    evidence: Annotated[bool, typer.Option("--evidence", help="Print what each cue says of each look, too.")] = False,
    explain: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder for what each alert rests on, as JSON and as PNG pictures of the face; they are plain files, "
            "yours to guard and to delete.",
        ),
    ] = None,
) -> None:
    """Judge recordings exactly as if they were live calls, as fast as the machine can."""
    settings = start(config, changes or ())
    from monitor.scan import scan as work

    done(work(settings, files, json=json or evidence, strict=strict, evidence=evidence, explain=explain))


@app.command()
def push(
    file: Annotated[str, typer.Argument(help="What to play: a file that ffmpeg can read.")],
    url: Annotated[str, typer.Argument(metavar="WHIP_URL", help="For example http://127.0.0.1:8080/whip/CALL/NAME.")],
    config: Config = None,
    changes: Changes = None,
    token: Annotated[
        str | None, typer.Option(envvar="LIFESIGN_TOKEN", help="Bearer token; better in the environment.")
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Start again at the end, until interrupted.")] = False,
    codec: Annotated[VideoCodec, typer.Option(help="Video codec to send.")] = VideoCodec.VP8,
) -> None:
    """Play a file into a WHIP endpoint, as a test caller."""
    settings = start(config, changes or ())
    from monitor.caller import token_for
    from monitor.push import push as work

    token = token or token_for(settings, url)
    with playing(file) as progress:
        pushed = finished(work(file, url, token, loop=loop, codec=codec.value, progress=progress))
    say(f"played {pushed.seconds:.1f} s, {pushed.pictures} pictures")


@app.command()
def watch(config: Config = None, changes: Changes = None, json: Json = False) -> None:
    """Show calls, verdicts and alerts as they come over MQTT, until interrupted."""
    settings = start(config, changes or ())
    from monitor.watch import watch as work

    on_event = (lambda event: out(event.model_dump_json())) if json else None
    finished(until_interrupted(lambda stop: work(settings, styled(stdout=not json), stop, on_event=on_event)))


@app.command()
def bench(
    what: Annotated[
        Subject,
        typer.Argument(
            help="The service, its delays under load, many streams, a long run, receiving, losses, a look at a face, "
            "the network, the way to an engine process, or one process beside several."
        ),
    ] = Subject.SERVICE,
    config: Config = None,
    changes: Changes = None,
    json: Json = False,
    streams: Annotated[int, typer.Option(min=1, max=64, help="Calls watched at once, 480p30 VP8.")] = 2,
    seconds: Annotated[float, typer.Option(min=2, help="Time measured per program.")] = 60.0,
    readme: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="File whose section between the markers is rewritten."),
    ] = None,
    profile: Annotated[bool, typer.Option(help="Of receiving: where its processor time goes, by cause.")] = False,
) -> None:
    """Measure CPU, latency, memory and lag beside a plain aiortc loop, in one run."""
    settings = start(config, changes or ())
    from monitor.bench.run import Order
    from monitor.bench.run import run as work

    done(work(what, Order(settings, streams, seconds, json=json, readme=readme, profile=profile)))


@app.command()
def doctor(
    config: Config = None,
    changes: Changes = None,
    json: Json = False,
    tune: Annotated[
        bool, typer.Option("--tune", help="Measure instead which settings judge quickest here; changes nothing.")
    ] = False,
) -> None:
    """Check everything a deployment needs, and say what to do about what fails."""
    if tune:
        settings = start(config, changes or ())
        from monitor.bench import tuning

        done(tuning.tune(settings, json=json))
    from monitor.doctor import doctor as work

    done(work(config, changes or (), json=json))


@app.command()
def setup(
    group: Annotated[
        list[Group] | None, typer.Option(help="What to fetch files for; repeatable. Default: run.")
    ] = None,
) -> None:
    """Fetch and verify the files the program needs but does not contain."""
    from monitor import fetch

    with fetching() as step:
        outcome = fetch.setup(group or [Group.RUN], progress=step)
    for name, reasons in outcome.missing.items():
        say(f"without {name} (optional): {'; '.join(reasons)}")
    say(f"{len(outcome.present)} files were here, {len(outcome.fetched)} fetched, {len(outcome.missing)} left out.")


@config_app.command("check")
def config_check(config: Config = None, changes: Changes = None) -> None:
    """Check the configuration and print all of it, secrets masked."""
    settings = start(config, changes or ())
    from monitor.publish.identity import configuration_sha256
    from monitor.settings_file import dump, find

    out(dump(settings))
    say(f"valid: {find(config) or 'defaults and environment'}; verdicts are shaped by {configuration_sha256(settings)}")


@config_app.command("example")
def config_example() -> None:
    """Print a YAML file of all settings with their defaults and meanings."""
    from monitor.settings_keys import example

    out(example())


@config_app.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the YAML file."""
    from monitor.settings_keys import schema

    out(schema())


@events_app.command("schema")
def events_schema(
    form: Annotated[EventFormat, typer.Option("--format", help="Notation.")] = EventFormat.JSON_SCHEMA,
) -> None:
    """Print the contract of all published events."""
    from monitor.publish import contract

    out(contract.asyncapi() if form is EventFormat.ASYNCAPI else contract.schema())


@models_app.command("list")
def models_list(
    json: Json = False,
    folder: Annotated[
        Path | None, typer.Option(help="Folder of networks trained elsewhere. Default: those that ship.")
    ] = None,
) -> None:
    """List the networks that can judge."""
    from monitor.liveness import catalog

    out(catalog.listing(json=json) if folder is None else catalog.listing(folder, json=json))


@models_app.command("card")
def models_card(name: Network = "default") -> None:
    """Print a network's card: data, licence, error rates, known failures."""
    from monitor.liveness import catalog

    out(catalog.card(name))


@models_app.command("check")
def models_check(name: Network = "default", json: Json = False) -> None:
    """Check a network's files against the manifest, and that it judges on this machine as it should."""
    from monitor.liveness import catalog

    out(catalog.check(name, json=json))


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    out(f"lifesign {installed('lifesign')}")
