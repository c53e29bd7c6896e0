"""Which addresses a link may lead to: judged on the address connected to, never on the name.

A name can point anywhere, at any time (DNS rebinding), and an address can be written in many ways
(2130706433, 0x7f.1, ::ffff:127.0.0.1). So nothing is decided from the URL: the name is resolved once, each
address found is judged, and only a judged one is connected to (OWASP, "Server-Side Request Forgery Prevention").
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
#: NAT64: the last four bytes are an IPv4 address (RFC 6052, RFC 8215).
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
#: Not on the internet, though Python's `is_global` of some versions says so: 192.0.0.192 has a cloud's secrets.
_INSIDE = tuple(
    ipaddress.ip_network(one)
    for one in ("192.0.0.0/24", "192.88.99.0/24", "::ffff:0:0:0/96", "3fff::/20", "5f00::/16")
)


def endpoint(url: str) -> str:
    """ "host:port" of an http(s) URL, the port always given: what the allow list is compared with."""
    parts = urlsplit(url)
    return f"{(parts.hostname or '').rstrip('.')}:{parts.port or _PORTS.get(parts.scheme.lower(), 0)}"


def is_public(address: str) -> bool:
    """Whether an IP address (text form) is on the public internet, looking inside IPv6 transition forms."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inside = _embedded(ip)
        if inside is not None:
            return is_public(str(inside))
        if ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _INSIDE)


def _embedded(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 transition address stands for, None if it is not one. Not Teredo's:
    `is_global` is false for all of them."""
    if ip.ipv4_mapped:
        return ip.ipv4_mapped
    if ip.sixtofour:
        return ip.sixtofour
    is_compatible = int(ip) >> 32 == 0  # "::7f00:1"
    if is_compatible or any(ip in network for network in _NAT64):
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return None
