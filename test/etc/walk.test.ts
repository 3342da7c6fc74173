import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatConflicts, parseConflicts } from '../../src/etc/conflicts.ts';
import { formatMarks, isMarked, parseMarks } from '../../src/etc/marks.ts';
import { pathKind } from '../../src/etc/path-kinds.ts';
import { type EtcEntry, walkEtc } from '../../src/etc/walk.ts';
import { nodeFileSystem } from '../../src/ports/node-file-system.ts';
import { bytesOfPath, pathFromBytes } from '../../src/ports/path-text.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-etc-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function walkAll(): Promise<EtcEntry[]> {
  const entries: EtcEntry[] = [];
  for await (const entry of walkEtc(nodeFileSystem, folder)) entries.push(entry);
  return entries;
}

const odd = Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x2e, 0xc3, 0xa9]); // "caf\xe9.é"

describe('names that are not UTF-8', () => {
  it('have a text, and come back from it', () => {
    for (const bytes of [
      odd,
      Buffer.from('plain/é/😀'),
      Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xb2, 0x80, 0xf0, 0x9f]),
    ]) {
      expect(bytesOfPath(pathFromBytes(bytes))).toEqual(bytes);
    }
    expect(pathFromBytes(odd)).toBe('caf\udce9.é');
  });

  it('are found, read, written, renamed and removed', async () => {
    const path = `${folder}/${pathFromBytes(odd)}`;
    await nodeFileSystem.makeFolder(path, 0o755);
    await nodeFileSystem.writeFile(`${path}/${pathFromBytes(odd)}`, Buffer.from('x'), 0o640);
    await nodeFileSystem.makeLink('to\udcff', `${path}/link`);
    expect(await nodeFileSystem.readLink(`${path}/link`)).toBe('to\udcff');
    expect(execFileSync('ls', [folder], { env: { LC_ALL: 'C' } }).subarray(0, -1)).toEqual(odd);
    const walked = (await walkAll()).map((entry) => entry.path);
    expect(walked).toEqual(['', 'caf\udce9.é', 'caf\udce9.é/caf\udce9.é', 'caf\udce9.é/link']);
    await nodeFileSystem.rename(path, `${path}2`);
    await nodeFileSystem.remove(`${path}2`);
    expect(await nodeFileSystem.readFolder(folder)).toEqual([]);
  });
});

it('a walk gives folders first, names by their bytes, and follows no link', async () => {
  mkdirSync(join(folder, 'a'));
  mkdirSync(join(folder, 'a/b'));
  writeFileSync(join(folder, 'a.conf'), 'x', { mode: 0o640 });
  writeFileSync(join(folder, 'a/é'), '');
  writeFileSync(join(folder, 'a/z'), '');
  symlinkSync('.', join(folder, 'a/loop'));
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  const entries = await walkAll();
  expect(entries.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
    ' directory',
    'a directory',
    'a/b directory',
    'a/loop symlink',
    'a/z file',
    'a/é file',
    'a.conf file',
    'fifo special',
  ]);
  expect(entries.find(({ path }) => path === 'a.conf')).toMatchObject({ mode: 0o640, size: 1 });
});

it('knows what a path is to an upgrade', () => {
  const kinds = {
    volatile: ['resolv.conf', 'mtab', 'adjtime', 'shadow-', 'apk/cache', 'ld.so.cache'],
    machine: ['machine-id', 'hostname', 'fstab', 'network/interfaces', 'ssh/ssh_host_rsa_key.pub'],
    accounts: ['passwd', 'group', 'shadow', 'gshadow'],
    trust: ['pine/keys/release.pub', 'pine/keys/stolen.revoked'],
    ordinary: ['ssh/sshd_config', 'a/passwd', 'fstab.d', 'pine/keys', 'network/if-up.d/x'],
  } as const;
  for (const [kind, paths] of Object.entries(kinds)) {
    expect(paths.map((path) => `${path} ${pathKind(path)}`)).toEqual(
      paths.map((path) => `${path} ${kind}`),
    );
  }
});

describe('records', () => {
  it('of marks come back, and say what they cover', () => {
    const marks = parseMarks(formatMarks(['ssh', 'motd', 'caf\udce9', 'motd']));
    expect(marks).toEqual(['caf\udce9', 'motd', 'ssh']);
    expect(isMarked(marks ?? [], 'ssh/sshd_config')).toBe(true);
    expect(isMarked(marks ?? [], 'sshd')).toBe(false);
  });

  it('of conflicts come back', () => {
    const conflicts = [
      { path: 'motd', reason: 'lines', detail: 'lines 1 to 3', beside: 'motd.pine-new' },
      { path: 'caf\udce9', reason: 'removed-by-release', detail: '' },
      { path: 'x', reason: 'attributes', detail: '', release: { mode: 0o4755, uid: 0, gid: 4 } },
    ] as const;
    expect(parseConflicts(formatConflicts(conflicts))).toEqual(conflicts);
  });

  it('that are not ours count as lost', () => {
    for (const value of [
      '',
      '[]',
      '{"version":2,"marks":[],"conflicts":[]}',
      '{"version":1,"marks":["../shadow"],"conflicts":[{"path":"/x"}]}',
      '{"version":1,"marks":["a//b"],"conflicts":[{"path":"x","reason":"?","detail":""}]}',
    ]) {
      expect(parseMarks(Buffer.from(value))).toBeUndefined();
      expect(parseConflicts(Buffer.from(value))).toBeUndefined();
    }
  });
});
