#!/usr/bin/env bash
# Installs what the longer tests need from Debian's packages. Run as root; running it again costs nothing.
# Used by `npm test` (where it may), by .ci/run, and by people: sudo scripts/install-test-tools.sh
set -euo pipefail

# package            what it is for
packages=(
  chromium             # page tests drive it
  iproute2             # network namespaces: many agents and walks on one machine
  nftables             # lost packets and cut networks
  python3-cryptography # an independent verifier of proofs
  faketime             # a wall clock that jumps
  procps               # walks look up processes
  curl                 # walks and examples talk to the agent
  gcc                  # compiles the example in C
  libc6-dev            # what it needs to
  libcurl4-openssl-dev # the example in C talks to the agent
  nginx-light          # a reverse proxy in front of an agent
  tinyproxy-bin        # an outgoing proxy with a login
  git                  # walks begin with a fresh clone
  avahi-daemon         # another implementation of broadcast search
  avahi-utils          # asks and answers with it
  dbus                 # what it needs to
)

if ! command -v apt-get >/dev/null; then
  echo "This system has no apt-get. Install by hand what corresponds to: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

if [ "$(id -u)" -ne 0 ]; then
  echo "Missing: ${missing[*]}. Only root can install packages: sudo $0" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
echo "Installing ${missing[*]}"
apt-get update -qq
apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
