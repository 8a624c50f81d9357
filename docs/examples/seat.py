"""A seat with Python's own library: opens a session, keeps it with heartbeats, gives it back; says why when there is none.

    python3 seat.py PRODUCT [SECONDS]

Ends with 1 when the seat was refused, 3 when it was lost. The agent: port 1947, or LEASEHOLD_NETWORK_PORT.
"""

import getpass
import json
import os
import platform
import secrets
import sys
import time
import urllib.error
import urllib.request

SESSIONS = f"http://127.0.0.1:{os.environ.get('LEASEHOLD_NETWORK_PORT', '1947')}/api/v1/sessions"
# No proxy: the agent is on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """The agent said no; `problem` has code, detail, retryIn, explanation."""

    def __init__(self, problem):
        super().__init__(f"{problem.get('detail')} ({problem.get('code')})")
        self.problem = problem


def call(method, address, body=None, **headers):
    """One call, repeated while its answer is lost; the same headers again, so that it never takes a second seat."""
    data = None if body is None else json.dumps(body).encode()
    headers = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Type": "application/json"}
    for left in range(4, -1, -1):
        try:
            request = urllib.request.Request(address, data, headers, method=method)
            with OPENER.open(request, timeout=20) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            problem = json.loads(error.read())
            if problem.get("code") != "store_unavailable" or left == 0:
                raise Refused(problem) from None
            pause = problem.get("retryIn", 1)
        except OSError:  # nobody answers, or the answer was lost
            if left == 0:
                raise
            pause = 1
        time.sleep(pause)


def main(product, seconds):
    wanted = {
        "product": product,
        "user": {"account": getpass.getuser()},
        "host": platform.node(),
        # The agent frees the seat within seconds when this process is gone.
        "process": {"id": os.getpid(), "name": "seat.py"},
    }
    try:
        session = call("POST", SESSIONS, wanted, Idempotency_Key=secrets.token_urlsafe(24))
    except Refused as refused:
        print(f"No seat: {refused}", file=sys.stderr)
        for manager in refused.problem.get("explanation", {}).get("managers", []):
            for holder in manager.get("holders", []):
                who = f"{holder.get('user', 'somebody')} on {holder.get('host', 'some machine')}"
                print(f"  {holder['seats']} in use by {who} since {holder['startedAt']}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"No Leasehold agent answers at {SESSIONS}: {error}", file=sys.stderr)
        return 1

    address, key = f"{SESSIONS}/{session['id']}", session["key"]
    print(f"A seat of {session['product']} for {session['expiresIn']} s.", flush=True)
    try:
        end = time.monotonic() + seconds
        while time.monotonic() + session["renewIn"] < end:
            time.sleep(session["renewIn"])
            session = call("PUT", address, {}, Session_Key=key)
            print(f"Kept for {session['expiresIn']} s.", flush=True)
        time.sleep(max(0, end - time.monotonic()))
    except (Refused, OSError) as lost:
        print(f"The seat is lost: {lost}", file=sys.stderr)
        return 3
    finally:
        try:
            call("DELETE", address, Session_Key=key)
        except (Refused, OSError):
            pass  # the agent takes it back by itself
    print("Given back.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 60))
