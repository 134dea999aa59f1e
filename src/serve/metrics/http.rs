//! Counts and latencies of the requests to this interface, by route. Bounded: a route is a pattern of the router, never
//! the path of a request, and a method is a standard one or `other`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use parking_lot::Mutex;

use super::text::Exposition;

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Requests so far.
#[derive(Default)]
pub(in crate::serve) struct HttpMetrics {
    routes: Mutex<BTreeMap<String, RouteMetrics>>,
}

#[derive(Default)]
struct RouteMetrics {
    answers: BTreeMap<(&'static str, u16), u64>,
    buckets: [u64; BUCKETS.len()],
    seconds: f64,
    count: u64,
}

impl HttpMetrics {
    /// Counts a response whose head was ready after `elapsed`.
    pub(in crate::serve) fn observe(&self, method: &Method, route: &str, status: StatusCode, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        // A panic while the lock is held leaves a count that is at most off by one.
        let mut routes = self.routes.lock();
        if !routes.contains_key(route) {
            routes.insert(route.to_owned(), RouteMetrics::default());
        }
        let Some(metrics) = routes.get_mut(route) else { return };
        *metrics.answers.entry((method_label(method), status.as_u16())).or_default() += 1;
        metrics.count += 1;
        metrics.seconds += seconds;
        if let Some((_, bucket)) = BUCKETS.iter().zip(&mut metrics.buckets).find(|(bound, _)| seconds <= **bound) {
            *bucket += 1;
        }
    }

    /// Writes the metrics.
    pub(super) fn write(&self, out: &mut Exposition) {
        let routes = self.routes.lock();
        let mut requests = out.counter("platewatch_http_requests_total", "HTTP requests by method, route and status.");
        for (route, metrics) in routes.iter() {
            for ((method, status), count) in &metrics.answers {
                requests
                    .labelled(&[("method", method), ("route", route), ("status", &status.to_string())], *count as f64);
            }
        }
        let mut latency = out
            .histogram("platewatch_http_request_duration_seconds", "Seconds until the head of the answer, by route.");
        for (route, metrics) in routes.iter() {
            let mut up_to_here = 0;
            for (bound, count) in BUCKETS.iter().zip(metrics.buckets) {
                up_to_here += count;
                latency.part("_bucket", &[("route", route), ("le", &bound.to_string())], up_to_here as f64);
            }
            latency.part("_bucket", &[("route", route), ("le", "+Inf")], metrics.count as f64);
            latency.part("_sum", &[("route", route)], metrics.seconds);
            latency.part("_count", &[("route", route)], metrics.count as f64);
        }
    }
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_end_with_the_count() {
        let metrics = HttpMetrics::default();
        for micros in [100, 500, 900, 2_000_000, 60_000_000] {
            metrics.observe(&Method::GET, "/r", StatusCode::OK, Duration::from_micros(micros));
        }
        metrics.observe(&Method::DELETE, "/r", StatusCode::METHOD_NOT_ALLOWED, Duration::ZERO);
        let mut out = Exposition::default();
        metrics.write(&mut out);
        let text = out.finish();
        for line in [
            "platewatch_http_requests_total{method=\"GET\",route=\"/r\",status=\"200\"} 5",
            "platewatch_http_requests_total{method=\"other\",route=\"/r\",status=\"405\"} 1",
            "platewatch_http_request_duration_seconds_bucket{route=\"/r\",le=\"0.0005\"} 3",
            "platewatch_http_request_duration_seconds_bucket{route=\"/r\",le=\"0.001\"} 4",
            "platewatch_http_request_duration_seconds_bucket{route=\"/r\",le=\"5\"} 5",
            "platewatch_http_request_duration_seconds_bucket{route=\"/r\",le=\"+Inf\"} 6",
            "platewatch_http_request_duration_seconds_count{route=\"/r\"} 6",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
