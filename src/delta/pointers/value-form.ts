/** How a site's value is made of its target's address. */
export const valueForm = {
  /** It is the address. */
  address: 0,
  /** It is the distance from the site (and `extra` bytes) to the address. */
  fromSite: 1,
  /** It is the distance from the address to the site. */
  toSite: 2,
  /** It is the distance from another address, the base, to the address, in units of `extra` bytes. */
  fromBase: 3,
  /** It is in an instruction of arm64 (`extra`), in so many bits, as the distance from the site in words. */
  branch26: 4,
  branch19: 5,
  branch14: 6,
  /** The same in bytes (ADR), and in pages (ADRP). */
  adr: 7,
  adrp: 8,
  /** It is the address within its page, in an instruction that adds, loads or stores. */
  low12: 9,
  /** The same for the distance from a base. */
  offset12: 10,
  /** It is no address but a number of BTF. */
  number: 11,
} as const;
