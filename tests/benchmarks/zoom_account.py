"""The API of a simulated account of N people, for runs to read: `python -m tests.benchmarks.zoom_account N`.

Prints the settings that a client needs, one a line, and serves until it is ended.
"""

import asyncio
import sys
import time

from projector.process import relax_gc, run
from projector.simulator.account import Account
from projector.simulator.api.options import ApiOptions
from projector.simulator.api.server import Api, serving_api
from projector.simulator.delivery_log import DeliveryLog


async def serve(people: int) -> None:
    now_ms = time.time_ns() // 1_000_000
    account = Account(1, before=people, start_ms=now_ms - 86_400_000)
    account.end_history()
    relax_gc()
    api = Api(account, DeliveryLog(lambda: account.now_ms), ApiOptions())
    async with serving_api(api):
        own = api.credentials
        told = {
            "ACCOUNT_ID": own.account_id,
            "CLIENT_ID": own.client_id,
            "CLIENT_SECRET": own.client_secret,
            "API_URL": api.url,
            "TOKEN_URL": api.token_url,
            "PLAN": "unlimited",
        }
        for name, value in told.items():
            sys.stdout.write(f"PROJECTOR_ZOOM_{name}={value}\n")
        sys.stdout.write("\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        run(serve(int(sys.argv[1])))
    except KeyboardInterrupt:
        sys.exit(0)
