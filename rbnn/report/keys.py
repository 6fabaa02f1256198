"""Who can license a run's model, and to whom it was licensed: public keys and fingerprints."""

from __future__ import annotations

from pathlib import Path

from rbnn.export.export import NO_PROVIDER, Export
from rbnn.keys.database import is_there, is_url
from rbnn.keys.provider_key import load_provider_public
from rbnn.keys.queries import LicenceFilter
from rbnn.keys.registry import Registry
from rbnn.report.figures import KeyFigures, LicenceFigures
from rbnn.runs.config import RunConfig


def describe_keys(
    config: RunConfig, export: Export | None, provider_key: Path, registry: str
) -> KeyFigures:
    """The public keys and licences of a run; opens no private key.

    Args:
        config: of the run.
        export: its current export, or None.
        provider_key: PEM file whose ``.pub`` file is read; may be missing.
        registry: file or SQLAlchemy URL; a missing file is not created.

    Raises:
        RbnnError: the public key or the registry is damaged.
    """
    local = load_provider_public(provider_key)
    provider = None if export is None else export.container.provider_public
    there = is_there(registry)
    return KeyFigures(
        model_id=config.model_id,
        cipher=config.cipher,
        scheme=config.scheme,
        provider=None if provider in (None, NO_PROVIDER) else provider.hex(),
        local=None if local is None else local.hex(),
        registry=Path(registry).name if there and not is_url(registry) else None,
        licences=_licences(config.model_id, export, registry) if there else (),
    )


def _licences(model_id: str, export: Export | None, registry: str) -> tuple[LicenceFigures, ...]:
    with Registry.open(registry, create=False) as book:
        found = book.licences(wanted=LicenceFilter(model=model_id))
        devices = {issued.device for issued in found}
        boards = {one: book.device(bytes.fromhex(one)).board for one in devices}
        return tuple(
            LicenceFigures(
                licence=issued.licence_id,
                task=issued.task_name,
                device=issued.device,
                board=boards[issued.device],
                user=issued.user,
                limit=issued.inference_limit,
                issued=issued.issued_at,
                other_digest=(
                    export is None or issued.model_digest != export.manifest.model_digest
                ),
                revoked=None if issued.revocation is None else issued.revocation.revoked_at,
            )
            for issued in found
        )
