"""The background work of exports."""

from __future__ import annotations

from typing import Any

from core.jobs.kinds import job
from core.jobs.run import Run
from exports import queries
from exports.services import exports as export_services


@job(export_services.KIND, queue="export")
def render_export(run: Run, *, export_id: str, **_: Any) -> None:
    """Make the file of an export."""
    export_services.render_export(run=run, export=queries.export_for_work(export_id))


@job("exports.sweep_exports", queue="export", every_seconds=3600)
def sweep_exports(run: Run, **_: Any) -> None:
    """Remove files that are kept no longer."""
    while removed := export_services.sweep():
        run.report(0.0, f"{removed} exports removed")
