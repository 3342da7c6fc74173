#!/bin/busybox sh
# The time limit of a trial: reboots the machine when nobody has said in time that it is good.
# Started by init, it lives on in the system that init hands over to: deadline SECONDS LOG START
# (LOG as a path from the root without the first slash, START in seconds since 1970).
#
# When init has handed over, the files of the initramfs are gone: only what the shell has built in
# can be used (no program, not even `&`, which wants /dev/null), and what it needs is opened now.
# /run is the one file system that both sides see; paths from there lead into the root it is part of.

left=$1
log=$2
start=$3
elapsed=0
checking=0
cd /run/pine
mkfifo clock last-words
exec 9<>clock 8>/proc/sysrq-trigger 7>/dev/kmsg </dev/null >/dev/null 2>&1
echo -1000 >/proc/self/oom_score_adj

# Writes the last line of the trial's log. A process of its own, since the disk may be what hangs.
{ read -r line && { echo "$line" >>"../../$log" || echo "$line" >>"../../sysroot/$log"; }; } <last-words &
exec 5>last-words
rm clock last-words

# A hardware watchdog counts down from here, and is fed below, but never beyond the time limit.
nowayout=
if [ -c /dev/watchdog0 ]; then
	nowayout=$(cat /sys/class/watchdog/watchdog0/nowayout)
	exec 6>/dev/watchdog0
else
	exec 6>/dev/null
fi
feed() { echo -n . >&6; }

# Waits a second: `sleep` is a program, a pipe that nobody writes to is not.
second() {
	read -t 1 -r _ <&9
	elapsed=$((elapsed + 1))
}

while [ "$left" -gt 0 ]; do
	feed
	second
	if [ -e confirmed ]; then
		echo '<6>pine: the trial is confirmed' >&7
		# One that can't be stopped (CONFIG_WATCHDOG_NOWAYOUT) is fed as long as the machine runs.
		while [ "$nowayout" = 1 ]; do feed; second; done
		echo -n V >&6 # asks the watchdog to stop
		exit
	fi
	# S11: the repair of a data partition costs no try. An hour is all it gets.
	if [ -e checking ] && [ $checking -lt 3600 ]; then
		checking=$((checking + 1))
		continue
	fi
	left=$((left - 1))
done

echo "<2>pine: the trial was not confirmed within $1 s: rebooting" >&7
echo "$((start + elapsed)) deadline" >&5
second
second
for key in s u b; do # sync, remount read-only, reboot
	echo $key >&8
	second
	second
done
