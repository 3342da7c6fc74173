#!/bin/sh
# Runs what the test harness sends over the second serial port, one command at a time, as root.
# In:  ID BASE64-OF-A-SCRIPT        Out: =ID EXIT-STATUS BASE64-OF-ITS-OUTPUT
# When it starts: =ready BOOT-ID SLOT
# Nothing that comes in is echoed, and every answer begins with "=", which base64 never does.
stty raw -echo
echo "=ready $(cat /proc/sys/kernel/random/boot_id) $(sed -n s/^slot=//p /run/pine/boot)"
while read -r id script; do
	echo "$script" | base64 -d >/run/control.sh
	sh /run/control.sh </dev/null >/run/control.out 2>&1
	echo "=$id $? $(base64 -w 0 </run/control.out)"
done
