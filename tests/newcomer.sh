#!/usr/bin/env bash
# A newcomer's first minutes: the README's run line in a fresh clone, then a conversation over the wire.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
unset ${!VOICECTL_*} ${!TWILIO_*} ${!OPENAI_*} 2>/dev/null || true

git clone -q "$here" "$folder/voicectl"
cd "$folder/voicectl"
line=$(sed -n 's/^\(python3 -m venv .*voicectl serve\)$/\1/p' README.md)
test "$(printf '%s\n' "$line" | wc -l)" = 1 && test -n "$line"
echo "$line"
began=$(date +%s)
bash -euo pipefail -c "${line/%voicectl serve/voicectl serve --port 18080 --operator-port 18081}" > "$folder/printed" 2> "$folder/errors" &
server=$!
for _ in $(seq 300); do
  grep -q 'Ctrl-C' "$folder/printed" && break
  kill -0 "$server" || { cat "$folder/errors"; exit 1; }
  sleep 1
done
echo "from the line to a working agent: $(( $(date +%s) - began )) s"
cat "$folder/printed"
if grep -v '^WARNING: ' "$folder/errors"; then echo "voicectl serve complained"; exit 1; fi   # pip may warn
.venv/bin/voicectl replay-call --url http://127.0.0.1:18080 knowledge/conversations/hours.yaml
.venv/bin/voicectl replay-call --fast
.venv/bin/voicectl ingest-kb knowledge
pkill -INT -P "$server" -f 'voicectl serve' || kill -INT "$server"
wait "$server"
echo "stopped cleanly"
