#!/bin/sh
# Keep one finished piece of PostgreSQL's log. In postgresql.conf:
#   archive_mode = on
#   archive_command = '/srv/anxiang/deploy/backup/archive-wal.sh "%p" "%f" /var/backups/anxiang/wal'
# Exit code 0 only when the piece is on the disk: else PostgreSQL keeps it and tries again.
set -eu
from=$1 to=$3/$2
if [ -e "$to" ]; then
  cmp -s "$from" "$to" # kept before a crash: the same again is well, another of that name is not
  exit $?
fi
umask 077
cp "$from" "$to.new.$$"
sync "$to.new.$$"
mv "$to.new.$$" "$to"
sync "$3"
