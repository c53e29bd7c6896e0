"""The newsroom: a Datasette configuration folder, laid into db/ so that `datasette db/` is all a user types.

    install(directory)     copy what is missing, bring unchanged files up to date, keep what the user changed
    pages                  what each page shows, one async function per page
    comparing              two texts side by side, paragraph by paragraph

The folder itself (metadata.yaml, settings.json, datasette.yaml, templates/, plugins/, static/) lies beside this file.
"""

from __future__ import annotations

from aggregator.newsroom.installing import install

__all__ = ["install"]
