"""Which gateways there are, and who of them works on what: a gateway says that it lives, and takes over from those that
no longer do."""

from __future__ import annotations

import secrets
import time

from serving.store.database import Database

BEAT_SECONDS = 2.0
"""How often a gateway says that it lives."""

LOST_SECONDS = 20.0
"""Silence after which it is taken for dead. Clocks of machines may differ by less than this."""

_LOST = "(gateway IS NULL OR gateway NOT IN (SELECT id FROM gateways WHERE seen > ?))"


class Gateways:
    """The gateways of a database, as one of them sees them."""

    def __init__(self, database: Database) -> None:
        self.id = f"gw_{secrets.token_hex(8)}"
        self._database = database

    def enter(self) -> None:
        """Is one of them from now on; the only one where the database is one machine's."""
        if not self._database.is_shared:
            self._database.change("DELETE FROM gateways")
        self.beat()

    def beat(self) -> None:
        """Says that this gateway lives."""
        self._database.change(
            "INSERT INTO gateways (id, seen) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen",
            self.id,
            time.time(),
        )

    def leave(self) -> None:
        """What this gateway has not finished is for others, at once."""
        self._database.change("DELETE FROM gateways WHERE id = ?", self.id)

    def take_over(self) -> int:
        """Takes the projects of lost gateways, and gives back what those had reserved for anything else; how many."""
        lost = time.time() - LOST_SECONDS
        with self._database.transaction():
            self._database.change(
                f"DELETE FROM reservations WHERE {_LOST} "
                "AND id NOT IN (SELECT id FROM projects WHERE status = 'under_way')",
                lost,
            )
            taken = self._database.change(
                f"UPDATE projects SET gateway = ? WHERE status = 'under_way' AND {_LOST}", self.id, lost
            )
            self._database.change("DELETE FROM gateways WHERE seen <= ?", lost)
        return taken
