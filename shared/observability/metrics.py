"""The metrics of every service, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

requests = Counter("co_requests_total", "Requests, by outcome (answered, or the code of the refusal)", ["request", "outcome"])
request_seconds = Histogram("co_request_seconds", "Time to answer", ["request"], buckets=_SECONDS)
events = Counter(
    "co_events_total",
    "Events received from the bus, by outcome (done, repeated, delayed, dead, not_genuine)",
    ["subject", "outcome"],
)
event_batch = Histogram("co_event_batch_size", "Events handled in one transaction", buckets=(1, 2, 5, 10, 20, 50, 100))
published = Counter("co_published_total", "Events published to the bus", ["subject"])
tasks = Counter("co_tasks_total", "Attempts of tasks, by outcome (done, delayed, dead, lost)", ["task", "outcome"])
ready = Gauge("co_ready", "Whether this replica is ready; if it is 0, /ready gives the reason")
waiting = Gauge("co_waiting", "Backlog of this service: outbox, tasks, tasks_failing, dead_letters, events", ["what"])
keys_end = Gauge(
    "co_token_keys_end_seconds", "Seconds until the last signing key of tokens expires; after that no token is valid"
)
oldest = Gauge("co_oldest_seconds", "Age of the oldest waiting row: outbox, tasks", ["what"])
