import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAsset } from '../../../../src/asset.ts';
import {
  type Check,
  formatChecks,
  formatSteps,
  type Step,
} from '../../../../src/install/hijack/take-over/steps.ts';
import { alpineFolder, missing } from '../../../support/requirements.ts';

const script = readAsset('src/install/hijack/take-over/installer.sh');
/** Functions of the installer's script, as they are there. */
const functions = ['hex', 'hash_of', 'sector_has', 'check_all', 'step_patch']
  .map((name) => {
    const found = new RegExp(`^${name}\\(\\) \\{(.*\\}$|[^]*?^\\})`, 'm').exec(script)?.[0];
    if (found === undefined) throw new Error(`installer.sh has no ${name}`);
    return found;
  })
  .join('\n');

const sector = 5;
const before = Buffer.alloc(512, 'z');
before.set([0, 0xff, 0x25, 0x5c], 100); // zeros, a per cent sign, a backslash
const step: Extract<Step, { kind: 'patch' }> = {
  ...{ kind: 'patch', name: 'loader-sector', sector },
  changes: [
    { offset: 0, before: Buffer.from('zz'), after: Buffer.from('zz') },
    { offset: 100, before: before.subarray(100, 104), after: Buffer.from([0x25, 0x64, 0, 0x0a]) },
    { offset: 510, before: Buffer.from('zz'), after: Buffer.from([0xff, 0x5c]) },
  ],
};

// The busybox of Alpine runs it, as in the installer.
describe.skipIf(missing('alpine', 'root') !== undefined)("the installer's script", () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'pine-script-'));
    const archive = readdirSync(alpineFolder).find((name) => /minirootfs-.*x86_64/.test(name));
    execFileSync('tar', ['-xzf', join(alpineFolder, archive ?? ''), '-C', root]);
    mkdirSync(join(root, 'hijack'));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  function disk(change: (bytes: Buffer) => void = () => {}): Buffer {
    const bytes = randomBytes(64 * 512);
    before.copy(bytes, sector * 512);
    change(bytes);
    return bytes;
  }
  /** Runs one line on a disk; gives what it said, and the disk as it is then. */
  function run(line: string, bytes: Buffer) {
    writeFileSync(join(root, 'disk'), bytes);
    const own = 'disk=/disk\nsay() { echo "said $2"; }\nfail() { echo "failed: $1"; exit 1; }\n';
    // Only the kernel's own file is not there to be written.
    const text = `${own}${functions.replaceAll('/proc/sys/vm/drop_caches', '/dropped')}\n${line}\n`;
    writeFileSync(join(root, 'script'), text);
    const said = execFileSync('sh', ['-c', 'chroot "$0" /bin/busybox sh /script || true', root]);
    return { said: said.toString().trim(), bytes: readFileSync(join(root, 'disk')) };
  }
  const [, name = '', at = '', ...changes] = formatSteps([step]).trim().split(' ');
  const patch = `step_patch ${name} ${at} ${changes.join(' ')}`;
  const patched = (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    for (const { offset, after } of step.changes) after.copy(copy, sector * 512 + offset);
    return copy;
  };

  test('changes bytes of one sector, and does nothing the second time', () => {
    const bytes = disk();
    const first = run(patch, bytes);
    expect(first.said).toBe('said writing loader-sector');
    expect(first.bytes.equals(patched(bytes))).toBe(true);
    const second = run(patch, first.bytes);
    expect(second.said).toBe('');
    expect(second.bytes.equals(first.bytes)).toBe(true);
  });

  test('leaves a sector alone that is not what it was, and keeps what is between the changes', () => {
    for (const offset of [0, 101, 511]) {
      const bytes = disk((all) => all.writeUInt8(0x41, sector * 512 + offset));
      const outcome = run(patch, bytes);
      expect(outcome.said).toBe('failed: loader-sector is not what it was');
      expect(outcome.bytes.equals(bytes)).toBe(true);
    }
    const dated = disk((all) => all.writeUInt8(0x41, sector * 512 + 50));
    expect(run(patch, dated).bytes.equals(patched(dated))).toBe(true);
  });

  test('sees each byte that is not as it was when everything was prepared', () => {
    const bytes = disk();
    const [start, size] = [8 * 512, 1500];
    const sum = createHash('sha256')
      .update(bytes.subarray(start, start + size))
      .digest('hex');
    const odd = 20 * 512 + 6; // links of a FAT16
    const oddSum = createHash('sha256')
      .update(bytes.subarray(odd, odd + 10))
      .digest('hex');
    const checks: Check[] = [
      { kind: 'bytes', sector, bytes: step.changes },
      { kind: 'sum', start, size, sha256: sum },
      { kind: 'sum', start: odd, size: 10, sha256: oddSum },
    ];
    writeFileSync(join(root, 'hijack/checks'), formatChecks(checks));
    const check = 'check_all && echo whole || echo changed';
    expect(run(check, bytes).said).toBe('whole');
    const places = [sector * 512, sector * 512 + 103, start, start + size - 1, odd, odd + 9];
    for (const place of places) {
      const other = Buffer.from(bytes);
      other.writeUInt8(other.readUInt8(place) ^ 1, place);
      expect(run(check, other).said).toBe('changed');
    }
    const beside = Buffer.from(bytes);
    beside.writeUInt8(beside.readUInt8(start + size) ^ 1, start + size);
    expect(run(check, beside).said).toBe('whole');
    writeFileSync(join(root, 'hijack/checks'), 'another 1 2 3\n');
    expect(run(check, bytes).said).toBe('changed');
    writeFileSync(join(root, 'hijack/checks'), '');
    expect(run(check, bytes).said).toBe('whole');
  });
});
