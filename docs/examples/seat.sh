#!/usr/bin/env bash
# A seat with curl: opens a session, keeps it with heartbeats, gives it back; says why when there is none.
#   seat.sh PRODUCT [SECONDS]
# Ends with 1 when the seat was refused, 3 when it was lost. The agent: port 1947, or LEASEHOLD_NETWORK_PORT.
set -euo pipefail

product=$1
seconds=${2:-60}
sessions=http://127.0.0.1:${LEASEHOLD_NETWORK_PORT:-1947}/api/v1/sessions

# One call; the answer's body, then its status in the last line. A lost answer is asked for again: the same
# Idempotency-Key gets the same seat, never a second one.
call() {
  curl --silent --noproxy '*' --max-time 20 --retry 5 --retry-delay 1 --retry-all-errors \
    --header 'Content-Type: application/json' --write-out '\n%{http_code}' "$@"
}
status() { tail -n 1 <<<"$1"; }
text() { grep -o "\"$2\":\"[^\"]*\"" <<<"$1" | head -n 1 | cut -d '"' -f 4; }
number() { grep -o "\"$2\":[0-9]*" <<<"$1" | head -n 1 | cut -d : -f 2; }

# The agent frees the seat within seconds when the process of this script is gone.
body=$(printf '{"product":"%s","user":{"account":"%s"},"host":"%s","process":{"id":%d,"name":"seat.sh"}}' \
  "$product" "$(id -un)" "$(uname -n)" $$)
answer=$(call --header "Idempotency-Key: $(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" --data "$body" "$sessions") || {
  echo "No Leasehold agent answers at $sessions." >&2
  exit 1
}
case $(status "$answer") in
  200 | 201) ;;
  *)
    echo "No seat: $(text "$answer" detail) ($(text "$answer" code))" >&2
    exit 1
    ;;
esac

session=$sessions/$(text "$answer" id)
key=$(text "$answer" key)
end() { call --request DELETE --header "Session-Key: $key" "$session" >/dev/null; }
trap end EXIT
trap 'exit 130' INT TERM
echo "A seat of $(text "$answer" product) for $(number "$answer" expiresIn) s."

until_end=$((SECONDS + seconds))
while renew=$(number "$answer" renewIn) && ((SECONDS + renew < until_end)); do
  sleep "$renew"
  answer=$(call --request PUT --header "Session-Key: $key" --data '{}' "$session")
  if [ "$(status "$answer")" != 200 ]; then
    echo "The seat is lost: $(text "$answer" detail) ($(text "$answer" code))" >&2
    exit 3
  fi
  echo "Kept for $(number "$answer" expiresIn) s."
done
sleep $((until_end > SECONDS ? until_end - SECONDS : 0))
echo "Given back."
