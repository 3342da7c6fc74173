/**
 * What the network of a machine is configured to be, whatever program the configuration is for: each
 * parser of this folder gives it, and interfaces-file.ts writes it for Alpine.
 */
export interface Network {
  readonly interfaces: readonly NetworkInterface[];
  readonly nameServers: readonly string[];
  readonly searchDomains: readonly string[];
  /** What the configuration says and this model has no place for, each in a few words. */
  readonly leftOut: readonly string[];
}

export interface NetworkInterface {
  /** The kernel's name. */
  readonly name: string;
  /** In lower case; `undefined` where the configuration names none. */
  readonly mac: string | undefined;
  readonly dhcp4: boolean;
  readonly dhcp6: boolean;
  /** Whether router advertisements are listened to; `undefined` leaves it to the kernel. */
  readonly routerAdvertisements: boolean | undefined;
  readonly addresses: readonly InterfaceAddress[];
  readonly routes: readonly Route[];
  readonly mtu: number | undefined;
  /** Anything but `ethernet` (`bond`, `bridge`, `vlan`, `oddly named`) is said and not carried over. */
  readonly kind: string;
}

export interface InterfaceAddress {
  /** In its shortest form, as the kernel prints it. */
  readonly address: string;
  readonly prefix: number;
  /** The other end of a point-to-point link. */
  readonly peer: string | undefined;
}

export interface Route {
  /** `default`, or a network as `10.0.0.0/8`. */
  readonly to: string;
  readonly family: 4 | 6;
  /** The gateway; `undefined` for what is on the link itself. */
  readonly via: string | undefined;
  readonly metric: number | undefined;
}

/** An interface that parsers fill line by line. */
export interface InterfaceDraft {
  name: string;
  mac: string | undefined;
  dhcp4: boolean;
  dhcp6: boolean;
  routerAdvertisements: boolean | undefined;
  addresses: InterfaceAddress[];
  routes: Route[];
  mtu: number | undefined;
  kind: string;
}

/** A network that parsers fill line by line. */
export interface NetworkDraft {
  interfaces: InterfaceDraft[];
  nameServers: string[];
  searchDomains: string[];
  leftOut: string[];
}

export function emptyNetwork(): NetworkDraft {
  return { interfaces: [], nameServers: [], searchDomains: [], leftOut: [] };
}

/** The interface of this name in a draft, added when it is not there yet. */
export function interfaceNamed(network: NetworkDraft, name: string): InterfaceDraft {
  const known = network.interfaces.find((one) => one.name === name);
  if (known !== undefined) return known;
  const added: InterfaceDraft = {
    ...{ name, mac: undefined, mtu: undefined, routerAdvertisements: undefined },
    ...{ dhcp4: false, dhcp6: false, addresses: [], routes: [], kind: 'ethernet' },
  };
  network.interfaces.push(added);
  return added;
}

/** Whether it brings anything up at all. */
export function isConfigured({ dhcp4, dhcp6, addresses }: NetworkInterface): boolean {
  return dhcp4 || dhcp6 || addresses.length > 0;
}
