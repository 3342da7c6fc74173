import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { modeOf } from './bundle.ts';
import { encodeTar, type TarMember } from './tar.ts';

/** Folders that the overlay brings along; all others are those of an Alpine root. */
const folders: readonly TarMember[] = [
  'data',
  'etc/pine',
  'etc/pine/health.d',
  'etc/pine/keys',
  'usr/etc',
  'usr/lib/pine',
  'usr/lib/pine/health.d',
  'usr/share/doc/pine',
].map((path) => ({ kind: 'directory', path, mode: 0o755 }) as const);

/** Makes the overlay: the files of overlay/, pinectl, and empty folders. The same input gives the same bytes. */
export function makeOverlay(project: string, modules: ReadonlyMap<string, Uint8Array>): Buffer {
  const tar = encodeTar([
    ...folders,
    ...filesOf(join(project, 'overlay')),
    { kind: 'directory', path: 'usr/lib/pine/parts', mode: 0o755 },
    ...[...modules].map(([path, content]) => ({
      kind: 'file' as const,
      path: `usr/lib/pine/${path}`,
      mode: modeOf(path),
      content,
    })),
    ...['pine-boot-complete', 'pine-finalize-staged'].map((service) => ({
      kind: 'symlink' as const,
      path: `etc/runlevels/default/${service}`,
      target: `/etc/init.d/${service}`,
    })),
  ]);
  return gzipSync(tar, { level: 9 });
}

function filesOf(folder: string): TarMember[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((path) => {
    const status = statSync(join(folder, path));
    if (!status.isFile()) return [];
    const mode = (status.mode & 0o100) === 0 ? 0o644 : 0o755;
    return [{ kind: 'file' as const, path, mode, content: readFileSync(join(folder, path)) }];
  });
}
