import type { SourceFile, SourceNode } from '../../../src/build/source-node.ts';
import { SourceTree } from '../../../src/build/source-tree.ts';

/** A tree of paths: a file's content, or `-> target`. */
export function treeWith(entries: Readonly<Record<string, Buffer | string>>): SourceTree {
  const tree = SourceTree.empty();
  for (const [path, content] of Object.entries(entries)) {
    if (typeof content === 'string' && content.startsWith('-> ')) {
      tree.putLink(path, content.slice(3));
    } else tree.putFile(path, Buffer.from(content), { mode: 0o644 });
  }
  return tree;
}

/** Everything in a tree but folders: contents as text, links as `-> target`. */
export async function contentsOf(tree: SourceTree): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = async (node: SourceNode, path: string): Promise<void> => {
    if (node.kind === 'symlink') found[path] = `-> ${node.target}`;
    else if (node.kind === 'file') found[path] = (await bytesOf(node)).toString('latin1');
    else for (const [name, child] of node.entries) await visit(child, `${path}/${name}`);
  };
  await visit(tree.root, '');
  return found;
}

export async function bytesOf({ content }: SourceFile): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of content.open()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}
