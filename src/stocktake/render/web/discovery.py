"""What a site says of itself to those who search the web."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

# The page that servers send in place of one that there is not.
NOT_FOUND = "404.html"


@dataclass(frozen=True)
class About:
    """What a site says of itself: where it will stand, its terms, and where readers write to."""

    address: str = ""
    publisher: str = ""
    licence: str = ""
    licence_address: str = ""
    feedback: str = ""

    @property
    def base(self) -> str:
        """The address without a stroke at its end; nothing for none."""
        return self.address.rstrip("/")

    def address_of(self, path: str) -> str:
        """The address of a page by its path from the top of the site; nothing where the site has none."""
        return f"{self.base}/{path}" if self.base and path else ""

    def root_from(self, path: str) -> str:
        """The way from a page to the top of the site."""
        # The page in place of a missing one is sent for addresses of any depth.
        return f"{self.base}/" if path == NOT_FOUND and self.base else "../" * path.count("/")


def dataset(name: str, description: str, time: str, digest: str, about: About) -> str:
    """A site's data in the terms of schema.org, as JSON that may stand in a page; `time` is a year, or two with a stroke."""
    base = about.base
    told: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": name,
        "description": description,
        "temporalCoverage": time,
        "version": digest,
        "isAccessibleForFree": True,
    }
    if about.publisher:
        told["creator"] = {"@type": "Organization", "name": about.publisher}
    if about.licence_address:
        told["license"] = about.licence_address
    if base:
        told["url"] = f"{base}/data.html"
        told["distribution"] = [
            {
                "@type": "DataDownload",
                "encodingFormat": "application/zip",
                "contentUrl": f"{base}/data/tidy-tables.zip",
            },
            {"@type": "DataDownload", "encodingFormat": "application/json", "contentUrl": f"{base}/api/v1/index.json"},
        ]
    # No text of it may end the element that it stands in.
    return json.dumps(told, ensure_ascii=False).replace("<", "\\u003c")
