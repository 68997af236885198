-- What wrk measured, in one line that a program can read: requests, µs, p50 µs, p99 µs, answers that were not 2xx or 3xx, failures.
done = function(summary, latency)
  local e = summary.errors
  print(string.format("measured %d %d %d %d %d %d", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end
