import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { BootChoice } from '../../src/boot/choice.ts';
import { decodeChoice, encodeChoice } from '../../src/boot/grub/choice-codec.ts';
import {
  decodeDeployment,
  encodeDeployment,
  kernelArgumentsProblem,
} from '../../src/boot/grub/deployment-codec.ts';
import {
  decodeEnvironmentBlock,
  encodeEnvironmentBlock,
} from '../../src/boot/grub/environment-block.ts';
import fc from '../support/fast-check.ts';
import { missing } from '../support/requirements.ts';
import { encodeGrubenv } from './support/grubenv-conditions.ts';
import { deploymentOf } from './support/tiny-machine.ts';
import { readTruthTable } from './support/truth-table.ts';

const variables = fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,9}$/), fc.string());

describe('environment blocks', () => {
  it('come back as they were, in exactly the size', () => {
    fc.assert(
      fc.property(variables, (values) => {
        const bytes = encodeEnvironmentBlock(Object.entries(values), 4096);
        expect(bytes.length).toBe(4096);
        expect(Object.fromEntries(decodeEnvironmentBlock(bytes) ?? [])).toEqual({ ...values });
      }),
    );
  });

  it('refuse values that do not fit', () => {
    expect(encodeEnvironmentBlock([['x', 'y'.repeat(512 - 25 - 3)]], 512).length).toBe(512);
    expect(() => encodeEnvironmentBlock([['x', 'y'.repeat(512 - 25 - 2)]], 512)).toThrow(
      expect.objectContaining({ code: 'SPACE_ENVIRONMENT_BLOCK' }),
    );
  });

  it.each([
    ['zeros', Buffer.alloc(512)],
    ['no signature', Buffer.alloc(512, '#')],
    ['a line without =', Buffer.from('# GRUB Environment Block\nabc\n####')],
    ['a name twice', Buffer.from('# GRUB Environment Block\na=1\na=2\n####')],
    ['a value without end', Buffer.from('# GRUB Environment Block\na=1')],
    ['something behind the filling', Buffer.from('# GRUB Environment Block\na=1\n###\na=2\n')],
  ])('give undefined for %s', (_, bytes) => expect(decodeEnvironmentBlock(bytes)).toBe(undefined));

  describe.skipIf(missing('grub') !== undefined)('next to grub-editenv', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pine-env-'));
    const path = join(folder, 'grubenv');
    afterAll(() => rmSync(folder, { recursive: true }));

    it('it reads ours, we read its, and the size stays', () => {
      writeFileSync(
        path,
        encodeEnvironmentBlock(
          [
            ['back', 'a\\b\nc'],
            ['x', '1 2'],
          ],
          512,
        ),
      );
      expect(execFileSync('grub-editenv', [path, 'list'], { encoding: 'utf8' })).toBe(
        'back=a\\b\nc\nx=1 2\n',
      );
      execFileSync('grub-editenv', [path, 'set', 'x=longer than it was', 'new=\\']);
      const bytes = readFileSync(path);
      expect(bytes.length).toBe(512);
      expect(Object.fromEntries(decodeEnvironmentBlock(bytes) ?? [])).toEqual({
        ...{ back: 'a\\b\nc', x: 'longer than it was', new: '\\' },
      });
    });
  });
});

describe('the boot choice', () => {
  const order = fc.shuffledSubarray([1, 2, 3, 4], { minLength: 1 });
  const choice = fc
    .tuple(order, fc.boolean(), fc.nat(3), fc.nat(9))
    .map(([blocks, onTrial, at, tries]): BootChoice => {
      const block = blocks[at % blocks.length] ?? 1;
      return onTrial ? { order: blocks, trial: { block, tries } } : { order: blocks };
    });

  it('comes back as it was, in one sector', () => {
    fc.assert(
      fc.property(choice, (value) => {
        const bytes = encodeChoice(value);
        expect(bytes.length).toBe(512);
        expect(decodeChoice(bytes)).toEqual(value);
      }),
    );
  });

  it.each<BootChoice>([
    { order: [] },
    { order: [5] },
    { order: [1, 1] },
    { order: [1], trial: { block: 2, tries: 1 } },
    { order: [1], trial: { block: 1, tries: 10 } },
    { order: [1], trial: { block: 1, tries: -1 } },
  ])('is not written as %j', (value) =>
    expect(() => encodeChoice(value)).toThrow(
      expect.objectContaining({ code: 'INPUT_BOOT_CHOICE' }),
    ),
  );

  it('S4: is sound here exactly when it is for grub.cfg', () => {
    for (const row of readTruthTable()) {
      if (row.grubenv === 'a hole' || row.choice === 'none') continue;
      const sound = decodeChoice(encodeGrubenv(row.grubenv)) !== undefined;
      expect([row.grubenv, sound]).toEqual([row.grubenv, !row.skipped.startsWith('choice')]);
    }
  });

  it('is undefined for any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (bytes) => {
        expect(decodeChoice(bytes)).toBe(undefined);
      }),
    );
    expect(decodeChoice(Buffer.concat([encodeChoice({ order: [1] }), Buffer.alloc(512)]))).toBe(
      undefined,
    );
  });
});

describe('deployments', () => {
  it('come back as they were, in 4096 bytes', () => {
    const bytes = encodeDeployment(deploymentOf(2));
    expect(bytes.length).toBe(4096);
    expect(decodeDeployment(bytes)).toEqual(deploymentOf(2));
    const plain = { ...deploymentOf(2), kernelArguments: '' };
    expect(decodeDeployment(encodeDeployment(plain))).toEqual(plain);
  });

  it.each([
    'a "b c"',
    "a'b",
    'a$b',
    'a\\b',
    'a*',
    'a?',
    'a[1]',
    'a\nb',
    'ä',
    ' a',
    'a ',
    'a  b',
    `a${' b'.repeat(800)}`,
  ])('refuse the kernel arguments %j', (kernelArguments) => {
    expect(kernelArgumentsProblem(kernelArguments)).toBeTypeOf('string');
    expect(() => encodeDeployment({ ...deploymentOf(1), kernelArguments })).toThrow(
      expect.objectContaining({ code: 'INPUT_KERNEL_ARGUMENTS' }),
    );
  });

  it.each([
    { id: '' },
    { id: 'A' },
    { id: 'x'.repeat(33) },
    { id: '../x' },
    { slot: 'c' as 'a' },
    { commit: 'f00' },
  ])('are not written with %j', (wrong) =>
    expect(() => encodeDeployment({ ...deploymentOf(1), ...wrong })).toThrow(
      expect.objectContaining({ code: 'INPUT_DEPLOYMENT' }),
    ),
  );
});
