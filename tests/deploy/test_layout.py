"""The paths, ports and settings of an embedded run."""

from pathlib import Path

from deploy.embedded.layout import Layout, fixed_ports, free_ports
from deploy.nats.permissions import USERS


def test_the_default_ports_are_constant_and_different(tmp_path: Path) -> None:
    ports = Layout(tmp_path).ports
    assert ports == Layout(tmp_path / "other").ports
    assert len(set(ports.values())) == len(ports)
    assert (ports["tracking"], ports["portal"], ports["nats"]) == (8080, 8090, 4222)
    assert all(8200 <= port < 8300 for name, port in ports.items() if name not in ("tracking", "portal", "nats"))


def test_free_ports_are_all_different() -> None:
    assert len(set(free_ports(map(str, range(50))).values())) == 50


def test_the_home_country_runs_everything_and_each_partner_its_gateway(tmp_path: Path) -> None:
    layout = Layout(tmp_path, partners=("VN", "MY"), services=("registry", "gateway"))
    assert [layout.name(*replica) for replica in layout.replicas] == ["registry", "gateway", "gateway-vn", "gateway-my"]
    assert layout.users == {"KH": USERS} | dict.fromkeys(("VN", "MY"), ("gateway", "certificates", "operator"))
    assert layout.services_of("VN") == ("gateway",)


def test_the_home_country_has_every_partner_and_each_partner_has_the_home_country(tmp_path: Path) -> None:
    layout = Layout(tmp_path, partners=("VN", "MY"))
    assert [row["country"] for row in layout.partners_of("KH")["partners"]] == ["VN", "MY"]
    assert layout.partners_of("VN") == {
        "partners": [
            {
                "country": "KH",
                "address": f"https://127.0.0.1:{layout.ports['gateway']}/asw/messages",
                "signing_certificates": [str(layout.secrets.signing_certificate("KH"))],
                "tls_certificates": [str(layout.secrets.tls_certificate("gateway-kh"))],
                "documents": [{"code": "acdd"}],
                "trust_trace": True,
            }
        ]
    }


def test_no_two_processes_share_a_database_or_a_port(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    environments = [layout.environment(*replica) for replica in layout.replicas]
    for setting in ("CO_DATABASE_URL", "CO_HTTP_PORT", "CO_NATS_SEED_FILE"):
        assert len({environment[setting] for environment in environments}) == len(environments)


def test_only_registry_gets_the_paths_of_its_keys(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for key in ("CO_TOKEN_KEY_FILE", "CO_SECOND_FACTOR_KEY_FILE"):
        assert [service for service, country in layout.replicas if key in layout.environment(service, country)] == ["registry"]


def test_a_layout_is_restored_from_its_state(tmp_path: Path) -> None:
    layout = Layout(tmp_path, country="LA", partners=("TH",), ports=free_ports)
    layout.state_file.write_text(layout.state())
    found = Layout.of_running(tmp_path)
    assert (found.countries, found.ports, found.replicas) == (layout.countries, layout.ports, layout.replicas)


def test_every_process_has_a_port_by_its_name() -> None:
    names = ("registry", "gateway", "gateway-vn")
    assert list(fixed_ports(names)) == ["tracking", "portal", "nats", "nats-monitor", "customs", *names]


def test_the_public_site_the_portal_and_the_links_of_emails_lead_to_each_other(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    settings = {service: layout.environment(service, "KH") for service in ("registry", "tracking", "portal")}
    assert layout.portal_address == settings["registry"]["CO_PORTAL_ADDRESS"] == "http://localhost:8090/portal"
    assert settings["tracking"]["CO_PORTAL_ADDRESS"] == "http://localhost:8090"
    assert settings["portal"]["CO_PUBLIC_ADDRESS"] == layout.public_address == "http://localhost:8080"
    assert settings["portal"]["CO_SECURE_COOKIES"] == "False"


def test_without_the_portal_emails_have_the_address_of_the_settings(tmp_path: Path) -> None:
    layout = Layout(tmp_path, services=("registry",), ports=free_ports)
    assert layout.portal_address == ""
    assert "CO_PORTAL_ADDRESS" not in layout.environment("registry", "KH")
