import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readElfNeeds } from '../../../src/build/initramfs/elf.ts';
import { codeOf } from '../../support/code-of.ts';

const program = realpathSync(process.execPath);
const hasReadelf = (() => {
  try {
    execFileSync('readelf', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('readElfNeeds', () => {
  test.skipIf(!hasReadelf)('says of this Node.js what readelf says', () => {
    const dynamic = execFileSync('readelf', ['-d', '-l', program]).toString();
    const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1]);
    const interpreter = /program interpreter: (.+)\]/.exec(dynamic)?.[1];
    expect(needed.length).toBeGreaterThan(0);
    const needs = readElfNeeds(readFileSync(program), 'node');
    expect(needs.libraries).toEqual(needed);
    expect(needs.interpreter).toBe(interpreter);
  });

  test('a script, a 32-bit file and cut headers are refused', () => {
    const whole = readFileSync(program);
    const otherClass = Buffer.from(whole.subarray(0, 64));
    otherClass[4] = 1;
    for (const bytes of [Buffer.from('#!/bin/sh\n'), otherClass, whole.subarray(0, 200)]) {
      codeOf(() => readElfNeeds(bytes, '/bin/busybox'), 'INPUT_ELF');
    }
  });

  test('no damaged header leads to anything but an answer or INPUT_ELF', () => {
    const start = readFileSync(program).subarray(0, 4096);
    for (let at = 4; at < 1024; at += 1) {
      const damaged = Buffer.from(start);
      damaged[at] = 0xff;
      try {
        readElfNeeds(damaged, 'damaged');
      } catch (error) {
        expect(error).toMatchObject({ code: 'INPUT_ELF' });
      }
    }
  });
});
