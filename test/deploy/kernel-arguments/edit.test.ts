import { describe, expect, it } from 'vitest';
import { type ArgumentsEdit, editArguments } from '../../../src/deploy/kernel-arguments/edit.ts';
import type { ErrorCode } from '../../../src/error.ts';
import { noEdit } from '../../crash/world/change-arguments.ts';
import { codeOf } from '../../support/code-of.ts';

const present = 'console=tty0 console=ttyS0 quiet loglevel=3';
const edited = (edit: Partial<ArgumentsEdit>, from = present) =>
  editArguments(from, { ...noEdit, ...edit });

describe('an edit of kernel arguments', () => {
  it.each<[string, Partial<ArgumentsEdit>, string]>([
    ['appends', { append: ['nosmt', 'a=b=c'] }, `${present} nosmt a=b=c`],
    ['appends what is there', { append: ['quiet'] }, `${present} quiet`],
    ['appends if missing', { appendIfMissing: ['quiet', 'nosmt'] }, `${present} nosmt`],
    ['deletes by name', { delete: ['quiet'] }, 'console=tty0 console=ttyS0 loglevel=3'],
    ['deletes by name and value', { delete: ['console=tty0'] }, 'console=ttyS0 quiet loglevel=3'],
    ['deletes the value of a name', { delete: ['loglevel'] }, 'console=tty0 console=ttyS0 quiet'],
    [
      'deletes if present',
      { deleteIfPresent: ['nosmt', 'quiet'] },
      'console=tty0 console=ttyS0 loglevel=3',
    ],
    [
      'replaces in place',
      { replace: ['loglevel=7'] },
      'console=tty0 console=ttyS0 quiet loglevel=7',
    ],
    [
      'replaces one of several',
      { replace: ['console=tty0=hvc0'] },
      'console=hvc0 console=ttyS0 quiet loglevel=3',
    ],
    [
      'gives a flag a value',
      { replace: ['quiet=1'] },
      'console=tty0 console=ttyS0 quiet=1 loglevel=3',
    ],
    [
      'deletes, then replaces, then appends',
      { append: ['quiet'], delete: ['quiet'], replace: ['loglevel=1'] },
      'console=tty0 console=ttyS0 loglevel=1 quiet',
    ],
    [
      'takes pine.shell, which is the administrator’s',
      { append: ['pine.shell'] },
      `${present} pine.shell`,
    ],
  ])('%s', (_what, edit, expected) => {
    expect(edited(edit)).toBe(expected);
  });

  it('takes a value with = for what it is when the old one is not there', () => {
    expect(edited({ replace: ['root=UUID=2'] }, 'root=UUID=1')).toBe('root=UUID=2');
    expect(edited({ replace: ['root=UUID=1=UUID=2'] }, 'root=UUID=1')).toBe('root=UUID=1=UUID=2');
  });

  it('deletes one of several that are the same', () => {
    expect(edited({ delete: ['quiet'] }, 'quiet nosmt quiet')).toBe('nosmt quiet');
  });

  it('starts from nothing', () => {
    expect(edited({ append: ['quiet'] }, '')).toBe('quiet');
  });

  it.each<[ErrorCode, Partial<ArgumentsEdit>]>([
    ['NOT_FOUND_KERNEL_ARGUMENT', { delete: ['nosmt'] }],
    ['NOT_FOUND_KERNEL_ARGUMENT', { delete: ['console=hvc0'] }],
    ['NOT_FOUND_KERNEL_ARGUMENT', { replace: ['nosmt=1'] }],
    ['INPUT_KERNEL_ARGUMENT_AMBIGUOUS', { delete: ['console'] }],
    ['INPUT_KERNEL_ARGUMENT_AMBIGUOUS', { replace: ['console=hvc0'] }],
    ...[
      ['two words'],
      [''],
      ['=value'],
      ['a\nb'],
      // What pine sets behind the deployment's own, or what would pass its initramfs over.
      ['panic=0'],
      ['oops=continue'],
      ['softlockup-panic=0'],
      ['hung_task_panic=0'],
      ['pine.deployment=x'],
      ['pine.deadline=9999'],
      ['pine.slot=b'],
      ['rdinit=/bin/sh'],
      ['--'],
      ['BOOT_IMAGE=x'],
    ].map((append): [ErrorCode, Partial<ArgumentsEdit>] => ['INPUT_KERNEL_ARGUMENTS', { append }]),
    ['INPUT_KERNEL_ARGUMENTS', { delete: ['pine.deadline'] }],
    ['INPUT_KERNEL_ARGUMENTS', { replace: ['quiet'] }],
  ])('%s: %j', (code, edit) => {
    codeOf(() => edited(edit), code);
  });
});
