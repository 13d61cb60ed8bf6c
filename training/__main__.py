"""Command line of the training job. Results go to standard output as JSON, everything else to standard error.

bootstrap                     make the history, its models and the stream of orders, where they are missing
train                         train one version and register it
refresh                       fill the online feature table from its source
transform                     orders on standard input to features, one JSON line each
score                         orders on standard input to features and predictions
fingerprint                   transformed vectors on standard input to what each registered version predicts for them
rehearse                      train as `train` would and register nothing; orders on standard input to its predictions
stream                        write the stream of orders, of another world from a time on
sample                        draw orders with their outcomes from a stream of their own
traffic replay|trickle        send stored orders to the serving API
traffic settle                write the forecast of traffic.json into the stream
traffic words                 orders on standard input to the same orders as clients express them after a change
"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from training import settings as settings_module


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    main = argparse.ArgumentParser(prog="training", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = main.add_subparsers(dest="command", required=True)

    bootstrap = commands.add_parser("bootstrap")
    bootstrap.add_argument("--seed", type=int, default=7)

    train = commands.add_parser("train")
    train.add_argument("--start", type=date.fromisoformat, help="first day of the training window")
    train.add_argument("--end", type=date.fromisoformat, help="day after the last of the training window")
    train.add_argument("--seed", type=int, default=7)
    train.add_argument(
        "--recent", type=datetime.fromisoformat, help="learn from labelled production orders since then, too"
    )
    train.add_argument(
        "--correct", action="store_true", help="keep what the history taught; let recent orders correct it"
    )
    train.add_argument(
        "--prior",
        type=datetime.fromisoformat,
        help="take the share of the positive class from requests since then, whose outcomes need not be known",
    )
    train.add_argument("--param", action="append", default=[], metavar="NAME=VALUE")
    train.add_argument("--tag", action="append", default=[], metavar="NAME=VALUE")
    train.add_argument("--alias", action="append", default=[], help="point this alias to the new version")

    refresh = commands.add_parser("refresh")
    refresh.add_argument("--seed", type=int, default=7)

    commands.add_parser("transform")

    score = commands.add_parser("score")
    which = score.add_mutually_exclusive_group()
    which.add_argument("--version", type=int)
    which.add_argument("--alias")

    fingerprint = commands.add_parser("fingerprint")
    fingerprint.add_argument("--version", type=int, action="append", default=[], help="only this version")

    rehearse = commands.add_parser("rehearse")
    rehearse.add_argument("--seed", type=int, default=7)

    stream = commands.add_parser("stream")
    stream.add_argument("--seed", type=int, default=7)
    stream.add_argument("--since", type=datetime.fromisoformat, required=True)
    stream.add_argument("--world", type=json.loads, required=True, metavar="JSON")

    sample = commands.add_parser("sample")
    sample.add_argument("--world", type=json.loads, metavar="JSON")
    sample.add_argument("--rows", action="store_true", help="draw from the rows on standard input: payload and actual")
    sample.add_argument("--n", type=int, required=True)
    sample.add_argument("--stream", required=True)
    sample.add_argument("--seed", type=int, default=7)
    sample.add_argument("--start", type=date.fromisoformat, required=True)
    sample.add_argument("--end", type=date.fromisoformat, required=True)

    traffic = commands.add_parser("traffic").add_subparsers(dest="mode", required=True)
    replay = traffic.add_parser("replay")
    replay.add_argument("--start", type=datetime.fromisoformat, required=True)
    replay.add_argument("--end", type=datetime.fromisoformat, required=True)
    replay.add_argument("--every", type=int, default=1, help="send every N-th order")
    replay.add_argument("--concurrency", type=int, default=4)
    replay.add_argument("--as-it-is", action="store_true", help="send whatever the API answers, and wait for nothing")
    traffic.add_parser("trickle")
    traffic.add_parser("settle")
    words = traffic.add_parser("words")
    words.add_argument("--clients", type=json.loads, required=True, metavar="JSON")
    return main


def pairs(texts: list[str]) -> dict[str, str]:
    """Split NAME=VALUE options. Raises SystemExit for one without a value."""
    found = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if not mark:
            raise SystemExit(f"{text!r} has no value: write NAME=VALUE.")
        found[name] = value
    return found


def data(options: argparse.Namespace, settings: settings_module.Settings) -> int:
    """Run a command that makes data and no model; returns its exit code."""
    generate = settings_module.part(settings, "generate")
    if options.command == "stream":
        generate.write_stream(options.seed, settings.data, generate.World(**options.world), options.since)
    elif options.command == "refresh":
        print(json.dumps(settings_module.part(settings, "refresh").run(options.seed, settings.data)))
    else:
        days = (options.start, options.end)
        other: dict[str, Any] = {"world": generate.World(**options.world)} if options.world else {}
        if options.rows:
            other["rows"] = [json.loads(line) for line in sys.stdin if line.strip()]
        rows = generate.sample(options.n, options.stream, options.seed, days, **other)
        sys.stdout.writelines(json.dumps(row) + "\n" for row in rows)
    return 0


def answers(options: argparse.Namespace, settings: settings_module.Settings) -> Sequence[Any]:
    """Run a command that answers each line of standard input; returns the answers in that order."""
    rows = [json.loads(line) for line in sys.stdin if line.strip()]
    if options.command == "rehearse":
        from training import bootstrap

        return bootstrap.rehearse(settings, options.seed, rows)
    from training import scoring

    if options.command == "transform":
        return scoring.transform(settings, rows)
    if options.command == "fingerprint":
        return scoring.fingerprint(settings, rows, options.version)
    return scoring.score(settings, rows, version=options.version, alias=options.alias)


def main() -> int:
    """Run one command; returns its exit code."""
    options = parser().parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.captureWarnings(capture=True)
    settings = settings_module.load()
    if options.command == "traffic":
        from training import traffic

        if options.mode == "trickle":
            return traffic.trickle(settings)
        if options.mode == "words":
            read = (json.loads(line) for line in sys.stdin if line.strip())
            sys.stdout.writelines(json.dumps(traffic.as_sent(order, options.clients)) + "\n" for order in read)
            return 0
        if options.mode == "settle":
            traffic.settle(settings)
            return 0
        sent = traffic.replay(
            settings, options.start, options.end, options.every, options.concurrency, as_it_is=options.as_it_is
        )
        print(json.dumps({"sent": sent}))
        return 0
    if options.command in ("stream", "refresh", "sample"):
        return data(options, settings)
    if options.command in ("transform", "score", "fingerprint", "rehearse"):
        sys.stdout.writelines(json.dumps(line) + "\n" for line in answers(options, settings))
    elif options.command == "bootstrap":
        from training import bootstrap

        print(json.dumps(bootstrap.run(settings, options.seed)))
    else:
        from training import bootstrap

        done = bootstrap.train(
            settings,
            start=options.start,
            end=options.end,
            seed=options.seed,
            params=pairs(options.param),
            tags=pairs(options.tag),
            aliases=options.alias,
            recent=options.recent,
            correct=options.correct,
            prior=options.prior,
        )
        print(json.dumps(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
