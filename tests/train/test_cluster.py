"""TF_CONFIG as users write it, and workers that meet before TensorFlow starts."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from rbnn.runs.errors import TrainingError
from rbnn.train.cluster import Cluster, meet, read_cluster


def config(cluster: object, kind: str = "worker", index: object = 0) -> str:
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


def free_addresses(count: int) -> tuple[str, ...]:
    """Free ports of this machine."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    addresses = tuple(f"127.0.0.1:{server.getsockname()[1]}" for server in servers)
    for server in servers:
        server.close()
    return addresses


def test_the_first_worker_is_the_chief_if_none_is_named() -> None:
    found = read_cluster(config({"worker": ["a:1", "b:2"]}, index=1))
    assert found == Cluster(("a:1", "b:2"), 1)
    assert not found.chief
    assert found.address("worker", "0") == "a:1"


def test_a_named_chief_comes_first() -> None:
    workers = {"worker": ["b:2", "c:3"], "chief": ["a:1"]}
    assert read_cluster(config(workers, "chief")).chief
    last = read_cluster(config(workers, "worker", 1))
    assert last.addresses[last.index] == "c:3"
    assert last.address("worker", "0") == "b:2"
    assert last.address("chief", "0") == "a:1"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("{}", "cluster"),
        ('{"cluster": {"worker": ["a:1"]}}', "task"),
        (config(["a:1"]), "cluster"),
        (config({"worker": ["a:1"]}, index="x"), "task.index"),
        (config({"worker": ["a:1"]}, index=-1), "task.index"),
        (config({"worker": ["a:1"]}, index=1), "no 'worker' number 1"),
        (config({"worker": ["a:1"]}, "evaluator"), "no 'evaluator' number 0"),
        (config({"worker": ["a:1"], "ps": ["b:2"]}), "'ps' takes no part"),
        (config({"worker": ["a:1"], "chief": ["b:2", "c:3"]}), "one chief"),
        (config({"worker": ["a"]}), "'a' is not host:port"),
        (config({"worker": ["a:0"]}), "'a:0' is not host:port"),
        (config({"worker": ["a:1", "a:1"]}), "same address"),
    ],
)
def test_an_unusable_config_is_refused_with_an_example(text: str, what: str) -> None:
    with pytest.raises(TrainingError, match=what) as caught:
        read_cluster(text)
    assert caught.value.what.startswith("TF_CONFIG is not usable: ")
    assert '"cluster": {"worker": [' in caught.value.fix


def test_workers_wait_for_one_another() -> None:
    addresses = free_addresses(3)
    said: list[str] = []
    with ThreadPoolExecutor() as pool:
        others = [pool.submit(meet, Cluster(addresses, n), said.append, 60) for n in (1, 2)]
        meet(Cluster(addresses, 0), said.append, 60)
        for other in others:
            other.result()
    for address in addresses:  # left to TensorFlow
        socket.create_server(("", int(address.rpartition(":")[2]))).close()


def test_workers_with_different_clusters_are_told() -> None:
    addresses = free_addresses(2)
    with ThreadPoolExecutor() as pool:
        other = Cluster((addresses[0], *free_addresses(1)), 1)
        told = pool.submit(meet, other, print, 60)
        with pytest.raises(TrainingError, match="TF_CONFIG names"):
            meet(Cluster(addresses, 0), print, 60)
        with pytest.raises(TrainingError, match="TF_CONFIG names"):
            told.result()


@pytest.mark.parametrize(("index", "what"), [(0, "No word from"), (1, "does not answer")])
def test_a_missing_worker_is_named(index: int, what: str) -> None:
    addresses = free_addresses(2)
    said: list[str] = []
    with pytest.raises(TrainingError, match=f"{what}.*{addresses[1 - index]}") as caught:
        meet(Cluster(addresses, index), said.append, 1)
    assert "on every worker" in caught.value.fix
    assert len(said) == 1
    assert addresses[1 - index] in said[0]


def test_strangers_do_not_disturb_the_meeting() -> None:
    addresses = free_addresses(2)
    with ThreadPoolExecutor() as pool:
        chief = pool.submit(meet, Cluster(addresses, 0), print, 60)
        host, _, port = addresses[0].rpartition(":")
        while not chief.done():
            try:
                with socket.create_connection((host, int(port))) as stranger:
                    stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
                break
            except OSError:
                continue
        meet(Cluster(addresses, 1), print, 60)
        chief.result()


@pytest.mark.parametrize("index", [0, 1])
def test_a_port_in_use_is_named(index: int) -> None:
    with socket.create_server(("", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        addresses = [*free_addresses(1)]
        addresses.insert(index, address)
        with pytest.raises(TrainingError, match=f"Cannot listen at {address}"):
            meet(Cluster(tuple(addresses), index), print, 5)
