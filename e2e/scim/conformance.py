"""Runs scim2-tester against a service provider: URL, API key. Prints a line for what failed, and a count."""

import sys
from collections import Counter

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server

url, key = sys.argv[1:3]
results = check_server(SyncSCIMClient(Client(base_url=url, headers={"X-API-Key": key})))
for result in results:
    if result.status.name != "SUCCESS":
        print(result.status.name, result.resource_type or "", result.title, result.reason or "")
counts = Counter(result.status.name for result in results)
print(" ".join(f"{name}={count}" for name, count in sorted(counts.items())))
sys.exit(0 if counts.get("SUCCESS", 0) > 50 and counts.get("ERROR", 0) == 0 else 1)
