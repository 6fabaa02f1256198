"""``rbnn bench theft``: what stolen bits are worth to a thief who fine-tunes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rbnn.cli import options
from rbnn.cli.options import JsonOption
from rbnn.extras import require_training
from rbnn.theft.attacks.attack import Attack


def theft(
    run: Annotated[Path, typer.Argument(help="The run to attack: a trained shared network.")],
    out: Annotated[
        Path, typer.Option(help="Folder of the experiment; an existing experiment is continued.")
    ],
    victim: Annotated[
        list[str] | None,
        typer.Option("--victim", help="Task to attack; may be repeated. Default: all."),
    ] = None,
    other: Annotated[
        str | None,
        typer.Option(help="Task whose licence the thief has. Default: the one after the victim."),
    ] = None,
    shares: Annotated[
        str, typer.Option(help="Shares of the victim's training data, in percent; not for oracle.")
    ] = "1,10,100",
    seeds: Annotated[str, typer.Option(help="Seeds; everything is tried once per seed.")] = "1,2,3",
    steps: Annotated[
        int, typer.Option(help="Steps of each fine-tuning and of each gradient attack.")
    ] = 300,
    learning_rate: Annotated[
        float | None, typer.Option(help="Highest learning rate. Default: the run's.")
    ] = None,
    magnitude: Annotated[
        float,
        typer.Option(help="Size of latent values set from bits; 1: as when training begins."),
    ] = 1.0,
    attack: Annotated[
        Attack,
        typer.Option(
            help="What the thief does: fine-tune, or look for the key bits with another task's "
            "licence as an oracle, by a genetic search, or by gradient descent."
        ),
    ] = Attack.FINE_TUNING,
    queries: Annotated[
        int, typer.Option(help="Keys that the oracle and genetic attacks try.")
    ] = 1000,
    unknown: Annotated[
        int | None,
        typer.Option(
            help="Bits of the last layer that are unknown in the control of the genetic attack. "
            "Default: all of them."
        ),
    ] = None,
    known: Annotated[
        float,
        typer.Option(help="Percentage of key bits known in the control of the gradient attack."),
    ] = 90.0,
    as_json: JsonOption = False,
) -> None:
    """Play a thief who has stolen the bits, and compare with one who has not.

    By default the thief fine-tunes, from six starts per victim, share and seed. Writes theft.json,
    theft.md, theft.svg and theft.png to the folder; another attack writes, for instance,
    oracle.json and oracle.md. Fails if stolen bits give a significant gain.
    """
    require_training()
    from rbnn.runs.run import choose_run
    from rbnn.theft.attacks.experiment import bench_attack, require_no_leak
    from rbnn.theft.attacks.page import attack_tables
    from rbnn.theft.experiment import TheftSettings, bench_theft
    from rbnn.theft.findings import require_no_gain
    from rbnn.theft.page import theft_tables

    attacked = choose_run(run, options.DEFAULT_RUNS)
    settings = TheftSettings(
        victims=tuple(victim or ()),
        other=other,
        shares=shares,
        seeds=seeds,
        steps=steps,
        learning_rate=learning_rate,
        magnitude=magnitude,
        attack=attack.value,
        queries=queries,
        unknown=unknown,
        known=known,
    )
    if attack is not Attack.FINE_TUNING:
        found = bench_attack(attacked, settings, out, options.say)
        if as_json:
            print(found.model_dump_json(indent=2))
        else:
            options.output().print(attack_tables(found))
        require_no_leak(found)
        return
    report = bench_theft(attacked, settings, out, options.say)
    if as_json:
        print(report.model_dump_json(indent=2))
    else:
        options.output().print(theft_tables(report))
    require_no_gain(report)
