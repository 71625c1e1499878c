# SPDX-License-Identifier: Apache-2.0
"""A WHIP address in; the bearer token that a test caller may show there out."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from monitor.app import with_token
from monitor.config import Settings

__all__ = ["token_for"]


def token_for(settings: Settings, url: str) -> str | None:
    """The service's own token for an address on this machine; None elsewhere, where it would be given away."""
    if not _on_this_machine(urlsplit(url).hostname or ""):
        return None
    return with_token(settings).whip.tokens[0].get_secret_value()


def _on_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
