/** Flags of a route in /proc/net: it is up (RTF_UP); it refuses what is sent there (RTF_REJECT). */
const up = 0x0001;
const reject = 0x0200;

/**
 * The interface that IPv4 leaves by, if nothing better matches; `undefined` when there is none. `table` is
 * /proc/net/route: a line of headings, then `Iface Destination Gateway Flags RefCnt Use Metric Mask …`, in
 * hexadecimal.
 */
export function defaultRoute4(table: string): string | undefined {
  return rows(table)
    .slice(1)
    .find(([, destination, , flags, , , , mask]) => {
      return destination === '00000000' && mask === '00000000' && leads(flags);
    })?.[0];
}

/**
 * The same for IPv6. `table` is /proc/net/ipv6_route: `destination length source length gateway metric RefCnt
 * Use flags Iface`. Every machine has a default route that refuses, on lo.
 */
export function defaultRoute6(table: string): string | undefined {
  return rows(table).find(([destination, length, , , , , , , flags, name]) => {
    return /^0{32}$/.test(destination ?? '') && length === '00' && name !== 'lo' && leads(flags);
  })?.[9];
}

function rows(table: string): string[][] {
  return table.split('\n').map((line) => line.trim().split(/\s+/));
}

function leads(flags = ''): boolean {
  const value = Number.parseInt(flags, 16);
  return (value & up) !== 0 && (value & reject) === 0;
}
