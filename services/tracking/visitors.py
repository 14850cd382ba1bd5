"""What a request says of its sender: the address, and whether it is a program that wants JSON."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from starlette.requests import Request


@lru_cache(maxsize=10_000)
def network_of(address: str) -> str:
    """The key of an address: the address itself, or the first 64 bits of IPv6, of which one client has them all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped) if parsed.ipv4_mapped else parsed.packed[:8].hex()
    return str(parsed)


def address_of(request: Request) -> str:
    """The address of the client. Behind a proxy that FORWARDED_ALLOW_IPS permits, it is the one in X-Forwarded-For."""
    return request.client.host if request.client else ""


def wants_json(request: Request) -> bool:
    """Whether the client asks for JSON instead of a page."""
    if request.scope["query_string"] and request.query_params.get("format") == "json":
        return True
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted
