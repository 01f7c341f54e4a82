#!/bin/sh
# /usr/local/bin/httpstep: a command with the user, the variables and the data of the service. Run by root.
# A file that a command reads or writes is named by its whole path, else it is one in /var/lib/httpstep.
exec systemd-run --quiet --pty --pipe --wait --collect --uid=httpstep --gid=httpstep \
  --property=EnvironmentFile=-/etc/httpstep/env --setenv=HTTPSTEP_DATA=/var/lib/httpstep \
  --working-directory=/var/lib/httpstep -- /opt/httpstep/bin/httpstep "$@"
