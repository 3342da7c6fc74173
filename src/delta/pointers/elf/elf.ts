import type { BtfLayout } from '../btf/layout.ts';
import type { GoTables } from '../go/tables.ts';
import type { ObjectFile } from '../object/object-file.ts';
import type { Segment } from './segments.ts';

/** The processors whose files are known. */
export type Machine = 'x86-64' | 'arm64';

/** What a section holds that pointers are looked for in. */
export type SectionKind =
  | 'code'
  | 'relocations'
  | 'symbols'
  | 'buckets'
  | 'pointers'
  | 'tables'
  | 'frames'
  | 'frame-index'
  | 'object-relocations'
  | 'object-symbols'
  | 'section-headers'
  | 'kernel-data'
  | 'address-list'
  | 'btf'
  | 'go-units'
  | 'go-functions'
  | 'go-records'
  | 'go-buckets'
  | 'go-inlined'
  | 'go-links'
  | 'go-types';

/** A part of a file that pointers are looked for in: where it lies, and the address that it is loaded at. */
export interface Section {
  readonly kind: SectionKind;
  readonly offset: number;
  readonly size: number;
  readonly address: number;
  /** Of an object file's relocations: where the section begins that they are about, and whether it is code. */
  readonly target?: { readonly start: number; readonly isCode: boolean };
}

/** The parts of an ELF file that matter for pointers. */
export interface Elf {
  readonly machine: Machine;
  /** Whether it is linked for a fixed address (ET_EXEC): its code and constants hold addresses as they are. */
  readonly isFixed: boolean;
  readonly segments: readonly Segment[];
  readonly sections: readonly Section[];
  /** Address of the frame index (PT_GNU_EH_FRAME), which its entries are relative to. */
  readonly frameIndex: number | undefined;
  /** Addresses of the table of symbols that are linked at run time, and of their names. */
  readonly symbols: number | undefined;
  readonly names: number | undefined;
  /** The types that a kernel or a module tells (BTF). */
  readonly btf?: BtfLayout | undefined;
  /** Of a file that is not linked yet. */
  readonly objectFile?: ObjectFile;
  /** Of a program in Go: what its tables are relative to. */
  readonly go?: GoTables;
}
