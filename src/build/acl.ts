import type { Xattr } from '../repo/tree.ts';
import { type SourceNode, walkSource } from './source-node.ts';
import type { SourceTree } from './source-tree.ts';

const accessAcl = 'system.posix_acl_access';
/** Tags of entries in the kernel's ACL format, version 2 (linux/posix_acl_xattr.h). */
const groupTag = 0x04;
const maskTag = 0x10;

/**
 * Takes POSIX ACLs out of a tree: an image can't hold them. Returns the paths that had one.
 *
 * In a mode with an ACL the group's bits are the ACL's mask. They become what the owning group had in
 * effect, so that nobody may do more than before.
 */
export function dropAcls(tree: SourceTree): string[] {
  const paths: string[] = [];
  const replaced = new Map<SourceNode, SourceNode>();
  for (const [path, node] of [...walkSource(tree.root)]) {
    const isAcl = ({ name }: Xattr) => name.startsWith('system.posix_acl_');
    if (!node.xattrs.some(isAcl)) continue;
    const access = node.xattrs.find(({ name }) => name === accessAcl);
    const without = {
      ...node,
      mode: access === undefined ? node.mode : withoutMask(node.mode, access.value),
      xattrs: node.xattrs.filter((xattr) => !isAcl(xattr)),
    };
    paths.push(path);
    if (path === '/') Object.assign(tree.root, without);
    else {
      // Names of one file keep sharing one node; a directory keeps its map of entries.
      const shared = replaced.get(node) ?? without;
      replaced.set(node, shared);
      tree.put(path, shared);
    }
  }
  return paths;
}

function withoutMask(mode: number, acl: Uint8Array): number {
  const view = new DataView(acl.buffer, acl.byteOffset, acl.byteLength);
  let group = 0o7;
  let mask = 0o7;
  for (let at = 4; at + 8 <= acl.length; at += 8) {
    const tag = view.getUint16(at, true);
    const permissions = view.getUint16(at + 2, true) & 0o7;
    if (tag === groupTag) group = permissions;
    if (tag === maskTag) mask = permissions;
  }
  return (mode & ~0o070) | ((group & mask) << 3);
}
