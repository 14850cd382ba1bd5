"""The dashboard, the alerts and the collectors: their metrics exist, and every alert has a runbook."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from shared.contracts.index import SERVICES
from shared.observability import metrics

ROOT = Path(__file__).parents[2]
METRICS = ROOT / "deploy" / "metrics"
OTEL = ROOT / "deploy" / "otel"

OURS = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
OTHERS = {"up", "ALERTS", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"}
"""The metrics of Prometheus itself and of prometheus_client for every process."""
LABELS = {"job", "instance", "le", "alertstate"} | {label for metric in OURS for label in metric._labelnames}
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
WORDS = {"by", "or", "and", "unless", "on", "ignoring", "without", "bool", "offset"}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def dashboard() -> Any:
    return json.loads((METRICS / "grafana" / "dashboards" / "co.json").read_text())


def panels() -> list[Any]:
    return dashboard()["panels"]  # type: ignore[no-any-return]


def alerts() -> list[Any]:
    return [rule for group in read(METRICS / "alerts.yml")["groups"] for rule in group["rules"]]


def queries() -> list[str]:
    """All queries of the dashboard, as Grafana sends them, and of the alerts."""
    shown = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    sent = [query.replace("$__rate_interval", "1m").replace("$job", ".+") for query in shown]
    return sent + [alert["expr"] for alert in alerts()]


def names_and_labels(query: str) -> tuple[set[str], set[str]]:
    """The metrics and the labels in a query."""
    bare = re.sub(r'"[^"]*"', "", query)
    labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)(?!=)", "".join(re.findall(r"\{[^}]*\}", bare))))
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", bare)
    for grouped in re.findall(r"\bby\s*\(([^)]*)\)", bare):
        labels |= {label.strip() for label in grouped.split(",")}
    bare = re.sub(r"\bby\s*\([^)]*\)", "", bare)
    return set(re.findall(r"\b[A-Za-z_]\w*\b(?!\s*\()", bare)) - WORDS, labels


def exported_names() -> set[str]:
    families = [family for metric in OURS for family in metric.describe()]
    return {family.name + suffix for family in families for suffix in SUFFIXES[family.type]}


def promtool(*arguments: str | Path) -> None:
    """Runs promtool. Without it the test is skipped, or fails if containers are required."""
    program = shutil.which("promtool")
    if program is None:
        if os.environ.get("CO_CONTAINERS") == "required":
            pytest.fail("promtool is required: `apt-get install prometheus`")
        pytest.skip("needs promtool (`apt-get install prometheus`); required with `make test CONTAINERS=required`")
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def compose(*arguments: str, **environment: str) -> Any:
    """`deploy/compose/watching.yml` as parsed by docker-compose, included as in `docker-compose.yml`."""
    including = json.dumps({"name": "co", "include": [{"path": "deploy/compose/watching.yml", "project_directory": "."}]})
    done = subprocess.run(
        [Path(sys.executable).with_name("docker-compose"), "-f", "-", *arguments, "config", "--format", "json"],
        input=including,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("query", queries())
def test_a_query_uses_exported_metrics_only(query: str) -> None:
    names, labels = names_and_labels(query)
    assert names
    assert names <= exported_names() | OTHERS
    assert labels <= LABELS


def test_every_exported_metric_is_used() -> None:
    shown = {name for query in queries() for name in names_and_labels(query)[0]}
    exported = [family.name for metric in OURS for family in metric.describe()]
    assert [name for name in exported if not any(one.startswith(name) for one in shown)] == []


def test_panels_have_unique_ids_and_use_the_provisioned_data_source() -> None:
    [source] = read(METRICS / "grafana" / "datasources" / "prometheus.yml")["datasources"]
    ids = [panel["id"] for panel in panels()]
    sources = [
        part["datasource"] for panel in panels() for part in (panel, *panel.get("targets", ())) if panel["type"] != "row"
    ]
    variables = [variable["datasource"] for variable in dashboard()["templating"]["list"]]

    assert len(set(ids)) == len(ids)
    assert all(one == {"type": source["type"], "uid": source["uid"]} for one in sources + variables)
    assert all(panel["description"] for panel in panels() if panel["type"] != "row")


def test_no_two_panels_overlap() -> None:
    taken = [
        (x, y)
        for at in (panel["gridPos"] for panel in panels())
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) < 24


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_has_a_summary_and_a_runbook(alert: Any) -> None:
    file, anchor = alert["annotations"]["runbook"].split("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / file).read_text(), re.MULTILINE)

    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}
    assert alert["annotations"]["summary"]
    assert alert["labels"]["severity"] in ("urgent", "soon")


def test_every_service_is_scraped_by_its_name_and_has_an_alert_for_its_absence() -> None:
    jobs = {job["job_name"]: job for job in read(METRICS / "prometheus.yml")["scrape_configs"]}
    [absent] = [alert for alert in alerts() if alert["alert"] == "ServiceAbsent"]

    assert set(jobs) == set(SERVICES)
    for name, job in jobs.items():
        [where] = job["dns_sd_configs"]
        assert (where["names"], where["type"], where["port"]) == ([name], "A", 8000)
    assert jobs["gateway"]["scheme"] == "https"
    assert set(re.findall(r'absent\(up\{job="(\w+)"\}\)', absent["expr"])) == set(SERVICES)


def test_prometheus_accepts_its_configuration() -> None:
    promtool("check", "config", "--syntax-only", METRICS / "prometheus.yml")
    promtool("check", "rules", METRICS / "alerts.yml")


def test_prometheus_accepts_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"shown:{number}", "expr": query} for number, query in enumerate(queries())]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "shown", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "rules.yml")


def test_alerts_fire_on_time_and_not_before() -> None:
    promtool("test", "rules", Path(__file__).with_name("alerts_test.yml"))


KNOWN = {
    "otlp": {"protocols.http.endpoint", "protocols.grpc.endpoint"},
    "memory_limiter": {"check_interval", "limit_mib", "spike_limit_mib"},
    "batch": {"timeout", "send_batch_size", "send_batch_max_size"},
    "otlp_grpc": {"endpoint", "tls.insecure", "sending_queue.queue_size", "retry_on_failure.max_elapsed_time"},
    "jaeger_storage_exporter": {"trace_storage"},
    "jaeger_storage": {"backends.memory.memory.max_traces"},
    "jaeger_query": {"storage.traces", "http.endpoint"},
    "healthcheckv2": {"use_v2", "http.endpoint"},
}
"""The used settings of components, from their documentation."""


def settings(tree: Any, at: str = "") -> set[str]:
    if not isinstance(tree, dict):
        return {at.removeprefix(".")}
    return {path for key, value in tree.items() for path in settings(value, f"{at}.{key}")}


@pytest.mark.parametrize("file", ["collector.yaml", "jaeger.yaml"])
def test_a_collector_declares_exactly_the_components_that_it_uses(file: str) -> None:
    config = read(OTEL / file)
    kinds = ("receivers", "processors", "exporters")
    [(signal, pipeline)] = config["service"]["pipelines"].items()
    used = {kind: set(pipeline[kind]) for kind in kinds} | {"extensions": set(config["service"].get("extensions", ()))}
    declared = {kind: set(config.get(kind, ())) for kind in (*kinds, "extensions")}

    assert signal == "traces"
    assert used == declared
    assert set(config) <= {*declared, "service"}
    assert pipeline["processors"][0] == "memory_limiter"  # later processors cannot apply backpressure
    for kind in declared:
        for name, component in config.get(kind, {}).items():
            assert settings(component) <= KNOWN[name]


def test_spans_go_from_the_collector_to_jaeger() -> None:
    services = compose("--profile", "tracing")["services"]
    receiver = read(OTEL / "jaeger.yaml")["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    exporter = read(OTEL / "collector.yaml")["exporters"]["otlp_grpc"]["endpoint"]

    assert exporter == f"jaeger:{receiver.rsplit(':', 1)[1]}"
    assert set(services["collector"]["networks"]) & set(services["jaeger"]["networks"]) == {"tracing"}
    assert "bus" in services["collector"]["networks"]


@pytest.mark.parametrize(
    ("profile", "services"), [("metrics", {"prometheus", "grafana"}), ("tracing", {"collector", "jaeger"})]
)
def test_the_containers_of_a_profile_have_minimal_rights(profile: str, services: set[str]) -> None:
    containers = compose("--profile", profile)["services"]

    assert set(containers) == services
    for container in containers.values():
        assert container["user"].split(":")[0] not in ("", "0", "root")
        assert container["read_only"]
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]
        assert set(container["deploy"]["resources"]["limits"]) >= {"cpus", "memory"}
        assert all(port["host_ip"] == "127.0.0.1" for port in container.get("ports", ()))
        assert all(volume.get("read_only") for volume in container["volumes"] if volume["type"] == "bind")


def test_without_a_profile_no_container_runs() -> None:
    assert compose()["services"] == {}


def test_every_mount_exists_and_is_where_the_container_reads() -> None:
    containers = compose("--profile", "metrics", "--profile", "tracing", CO_FILES="/files")["services"]
    mounted = {
        (name, volume["source"]): volume["target"]
        for name, container in containers.items()
        for volume in container["volumes"]
        if volume["type"] == "bind"
    }

    assert {source for _, source in mounted if not source.startswith("/files/")} <= {
        str(folder) for folder in (METRICS, METRICS / "grafana", OTEL) if folder.is_dir()
    }
    assert mounted["prometheus", "/files/handed/prometheus"] == "/run/co"
    assert mounted["grafana", "/files/handed/grafana"] == "/run/co"
    password = containers["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"]
    assert password == "/run/co/admin.password"
    [gateway] = [job for job in read(METRICS / "prometheus.yml")["scrape_configs"] if job["job_name"] == "gateway"]
    assert gateway["tls_config"] == {"ca_file": "/run/co/ca.crt", "server_name": "gateway"}
    for name, file in (("collector", "collector.yaml"), ("jaeger", "jaeger.yaml")):
        assert containers[name]["command"] == [f"--config={mounted[name, str(OTEL)]}/{file}"]


def test_grafana_makes_no_external_connection() -> None:
    environment = compose("--profile", "metrics")["services"]["grafana"]["environment"]
    off = ("REPORTING_ENABLED", "CHECK_FOR_UPDATES", "CHECK_FOR_PLUGIN_UPDATES")
    assert {environment[f"GF_ANALYTICS_{what}"] for what in off} == {"false"}
    assert environment["GF_NEWS_NEWS_FEED_ENABLED"] == "false"
    assert environment["GF_SECURITY_DISABLE_GRAVATAR"] == "true"
    assert environment["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
