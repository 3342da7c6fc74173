import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writePatch } from '../../src/delta/encode/patch.ts';
import { DeltaSinks } from '../../src/delta/encode/sinks.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';
import { patchOf } from './support/patch-of.ts';

const isOther = process.arch !== 'x64';
if (isOther) console.warn('skipped: the assembler here is not for x86-64');
const imports = 400;

describe.skipIf(isOther || missing('strip') !== undefined)('a library that calls others', () => {
  const folder = temporaryFolder();

  test('and calls one more of them: entries of the linkage table stay with their names', async () => {
    const [before, after] = [link('before', false), link('after', true)];
    const { pair, patch } = await patchOf(before, after);
    const sinks = new DeltaSinks();
    writePatch(pair, patch, sinks);
    sinks.finish();
    // Each entry has its number and its symbol's, both another by one. Its address, its slot and all calls are predicted.
    expect(sinks.differences.length).toBeLessThan(3 * imports);
    expect(sinks.literals.length).toBeLessThan(1500);
  });

  /** Links a library whose functions each call one that it has not. */
  function link(name: string, hasOneMore: boolean): Buffer {
    const order = Array.from({ length: imports }, (_, index) => (index * 149) % imports);
    const functions = order.map(
      (callee) => `.globl f${callee}\nf${callee}: push %rbx\n mov $${callee * 77}, %ebx
 call import_${callee}@PLT\n add %rbx, %rax\n pop %rbx\n ret\n`,
    );
    const first = hasOneMore ? '.globl first\nfirst: call another@PLT\n ret\n' : '';
    const [source, object, library] = ['s', 'o', 'so'].map((end) => join(folder, `${name}.${end}`));
    writeFileSync(`${source}`, `.text\n${first}${functions.join('')}`);
    execFileSync('as', ['--64', '-o', `${object}`, `${source}`]);
    execFileSync('ld', [
      '-shared',
      '-s',
      '--hash-style=gnu',
      '-z',
      'lazy',
      '-o',
      `${library}`,
      `${object}`,
    ]);
    return readFileSync(`${library}`);
  }
});
