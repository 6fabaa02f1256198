"""Version 1: devices, licences, and a log chained by plain hashes that covers no rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "devices",
        sa.Column("public", sa.String(64), primary_key=True),
        sa.Column("sign_public", sa.String(64), nullable=False),
        sa.Column("board", sa.String(64), nullable=False),
        sa.Column("helper_record", sa.LargeBinary, nullable=False),
        sa.Column("enrolled_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "licences",
        sa.Column("licence_id", sa.String(32), primary_key=True),
        sa.Column("device", sa.String(64), sa.ForeignKey("devices.public"), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("model_id", sa.String(32), nullable=False),
        sa.Column("model_digest", sa.String(64), nullable=False),
        sa.Column("task_number", sa.Integer, nullable=False),
        sa.Column("task_name", sa.String(64), nullable=False),
        sa.Column("user_fingerprint", sa.String(16), nullable=False),
        sa.Column("inference_limit", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("issued_at", sa.String(32), nullable=False),
        sa.UniqueConstraint("device", "sequence"),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time", sa.String(32), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("subject", sa.String, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
