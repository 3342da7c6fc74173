#!/bin/sh
# The init of the test's slot: shows on the console what pine's initramfs left, and does what
# the kernel argument `probe=` says.
PATH=/usr/sbin:/sbin:/usr/bin:/bin
exec >/dev/console 2>&1 </dev/console
show() { echo "$1: $(shift; "$@" 2>&1 | tr '\n' ';')"; }
echo '<0>PROBE-BEGIN' >/dev/kmsg
while read -r line; do echo "boot $line"; done </run/pine/boot
while read -r device place type options rest; do echo "mount $place $type ${options%%,*} $device"; done </proc/mounts
show hostname cat /etc/hostname
show pristine-hostname cat /usr/etc/hostname
show key cat /root/.ssh/authorized_keys
show attempts cat /data/pine/attempts/one.log
show mark cat /var/mark
show service stat -c '%a %F' /var/lib/service-of-pine
show swap tail -n 1 /proc/swaps
show motd grep pine /etc/motd
touch /usr/written /boot/written && echo 'the slot is writable'
echo PROBE-END
case $(cat /proc/cmdline) in
*probe=change*) echo changed >/etc/hostname; echo kept >/var/mark; rmdir /var/lib/service-of-pine; sync ;;
*probe=hang*) sleep 60; echo 'still here after a minute' ;;
*probe=confirm*)
	deadlines() { echo "$1 confirming: $(ps | grep -c '[d]eadline [0-9]') deadline processes"; }
	deadlines before
	: >/run/pine/confirmed
	sleep 3
	deadlines after
	;;
esac
poweroff -f
