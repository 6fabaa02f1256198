"""A board gets no revoked licence, and loses those that it held when it is written again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flashed_board import OTHER_TASK, TASK, Flashed, quiet

from rbnn.device import deploy, installing
from rbnn.device.emulated.target import EmulatedTarget
from rbnn.device.licensing import issue_licences
from rbnn.keys import licence
from rbnn.keys.errors import LicenceError
from rbnn.keys.licence import Licence
from rbnn.keys.registry import Registry

pytestmark = pytest.mark.qemu


class Customer:
    """A new device of its own registry, flashed with both tasks."""

    def __init__(self, flashed: Flashed, target: EmulatedTarget, registry: Registry) -> None:
        self._flashed = flashed
        self.target = target
        self.registry = registry
        self.public = bytes.fromhex(self.flash().device)

    def flash(self, *tasks: str) -> deploy.FlashReport:
        made = self._flashed
        return deploy.flash(
            made.prepared,
            self.target,
            made.provider,
            made.user_key,
            self.registry,
            tasks,
            quiet,
            name="customer",
        )

    def issue(self, task: str) -> Licence:
        made = self._flashed
        secrets = made.run.secrets()
        return issue_licences(
            made.container,
            secrets,
            made.provider,
            self.public,
            made.user_key,
            self.registry,
            [task],
        )[task]

    def revoke(self, task: str) -> None:
        for one in self.registry.licences(self.public):
            if one.task_name == task:
                self.registry.revoke(bytes.fromhex(one.licence_id), "not paid")

    def held(self) -> set[str]:
        with self.target.open() as session:
            return {one.task for one in session.licences() if one.place == "flash"}


@pytest.fixture
def customer(flashed: Flashed) -> Iterator[Customer]:
    target = flashed.copy("customer", same_chip=False)
    target.erase_provisioning()
    with Registry.open(flashed.folder / "customer.sqlite") as registry:
        yield Customer(flashed, target, registry)
    target.emulator.power_off()


def test_revoked_licences_leave_the_board_and_do_not_come_back(customer: Customer) -> None:
    assert customer.held() == {TASK, OTHER_TASK}
    assert customer.registry.device(customer.public).name == "customer"
    customer.revoke(TASK)
    report = customer.flash(OTHER_TASK)
    assert [one.task for one in report.licences] == [OTHER_TASK]
    assert customer.held() == {OTHER_TASK}

    paid = customer.issue(TASK)
    changed = licence.parse(paid.data[:-1] + bytes([paid.data[-1] ^ 1]))
    other_number = licence.parse(paid.data[:10] + bytes([paid.data[10] ^ 1]) + paid.data[11:])
    for bad, said in ((changed, "it was changed"), (other_number, "has no licence")):
        with pytest.raises(LicenceError, match=said):
            installing.install_in_flash(customer.target, customer.registry, [bad], quiet)
    assert customer.held() == {OTHER_TASK}
    installing.install_in_flash(customer.target, customer.registry, [paid], quiet)
    assert customer.held() == {TASK, OTHER_TASK}
    customer.revoke(OTHER_TASK)
    installing.install_in_flash(customer.target, customer.registry, [customer.issue(TASK)], quiet)
    assert customer.held() == {TASK}

    customer.revoke(TASK)
    with pytest.raises(LicenceError, match="was revoked: not paid"):
        installing.install_in_flash(customer.target, customer.registry, [paid], quiet)
    assert customer.held() == {TASK}
