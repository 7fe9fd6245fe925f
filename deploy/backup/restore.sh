#!/bin/sh
# Make a data folder that PostgreSQL recovers when it is started, up to a moment (UTC) or to the archive's end.
#   restore.sh /var/backups/anxiang/base/20261128T020000Z /var/backups/anxiang/wal /var/lib/postgresql/restored \
#              ["2026-11-28 09:41:00+00"]
# The folder must not be there yet. The copy archives nothing, sends nothing and calls nothing until it is released:
# docs/deployment.md says what to check before that.
set -eu
base=$1 wal=$2 data=$3 until=${4:-}
if [ -e "$data" ]; then
  echo "$data is there already; nothing was restored." >&2
  exit 1
fi
cp -a "$base" "$data"
chmod 700 "$data"
{
  echo "restore_command = 'cp \"$wal/%f\" \"%p\"'"
  echo "recovery_target_timeline = 'latest'"
  [ -z "$until" ] || echo "recovery_target_time = '$until'"
  echo "recovery_target_action = 'promote'"
  echo "archive_mode = 'off'"
} >>"$data/postgresql.auto.conf"
touch "$data/recovery.signal"
echo "Start PostgreSQL on $data, then: flask --app wsgi installation check; flask --app wsgi audit verify"
