import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import {
  type Instruction,
  readInstruction,
} from '../../../../src/delta/pointers/x86/instructions.ts';
import { missing } from '../../../support/requirements.ts';

const isOther = process.arch !== 'x64';
if (isOther) console.warn('skipped: this machine has no programs for x86-64');

describe.skipIf(isOther || missing('strip') !== undefined)('instructions of x86-64', () => {
  // A shell is position-independent; the C library has vector instructions of all kinds by hand.
  test.each(['/bin/bash', '/lib/x86_64-linux-gnu/libc.so.6'])(
    'end where objdump says: %s',
    async (program) => {
      const wrong: string[] = [];
      let count = 0;
      for await (const { hex, text } of disassemble(program)) {
        const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
        const { end } = read(Buffer.concat([bytes, Buffer.alloc(16)]));
        count++;
        if (end !== bytes.length && !text.includes('(bad)')) wrong.push(`${hex}${text}: ${end}`);
      }
      expect(wrong).toEqual([]);
      expect(count).toBeGreaterThan(50_000);
    },
  );
});

test.each([
  ['call', 'e800010000', { end: 5, branch: 'call', immediate: 1 }],
  ['jne, with a prefix', '3e0f8500010000', { end: 7, branch: 'condition', immediate: 3 }],
  ['lea from rip', '488d0500010000', { end: 7, displacement: 3, isRelative: true }],
  ['testb to rip', 'f6050001000001', { end: 7, displacement: 2, isRelative: true }],
  ['jmp by a table', 'ff24c500004000', { end: 7, displacement: 3, isRelative: false }],
  ['movq to [rdi+8] of a constant', '48c7470800004000', { end: 8, immediate: 4 }],
  ['mov of two bytes', '66b80040', { end: 4 }],
  ['movabs of eight bytes', '48b80000400000000000', { end: 10 }],
  ['a byte that is none', '06', { end: 1 }],
  ['vpalignr with an immediate', 'c4e3750f0d0001000004', { end: 10, displacement: 5 }],
])('%s', (_, hex, expected) => {
  const found = read(Buffer.from(hex, 'hex'));
  expect(found).toMatchObject({ displacement: -1, immediate: -1, branch: undefined, ...expected });
});

function read(bytes: Uint8Array): Instruction {
  const found: Instruction = {
    end: 0,
    branch: undefined,
    displacement: -1,
    isRelative: false,
    immediate: -1,
  };
  readInstruction(bytes, 0, found);
  return found;
}

async function* disassemble(program: string): AsyncGenerator<{ hex: string; text: string }> {
  const objdump = spawn('objdump', ['-d', '-w', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: objdump.stdout })) {
    const [, hex, text] = /^\s*[0-9a-f]+:\t((?:[0-9a-f]{2} )+)\s*\t(.*)/.exec(line) ?? [];
    if (hex !== undefined && text !== undefined) yield { hex, text };
  }
}
