#!/bin/sh
# Copy the whole running cluster, and verify the copy; prints its folder.
#   base-backup.sh "host=127.0.0.1 user=backup dbname=postgres" /var/backups/anxiang/base
# The role needs REPLICATION; its password stands in ~/.pgpass. PG_BIN: where PostgreSQL's programs are, if not in PATH.
set -eu
from=$1 folder=$2
bin=${PG_BIN:+$PG_BIN/}
umask 077
made=$folder/$(date -u +%Y%m%dT%H%M%SZ)
rm -rf "$made.new"
"${bin}pg_basebackup" --dbname="$from" --pgdata="$made.new" --wal-method=stream --checkpoint=fast --no-password
"${bin}pg_verifybackup" --quiet "$made.new"
mv "$made.new" "$made"
sync "$folder"
echo "$made"
