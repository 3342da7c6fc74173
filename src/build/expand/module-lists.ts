import { PineError } from '../../error.ts';
import { moduleName } from '../initramfs/module-lists.ts';
import { bytesContent } from '../source-node.ts';
import type { SourceTree } from '../source-tree.ts';
import { encodeModuleIndex } from './module-index.ts';
import type { RenamedFiles } from './renamed-files.ts';

/** Bytes of the largest list that is read: hundreds of times a distribution's (S9). */
const largestList = 8 << 20;
/** Lists of `depmod` that name files. All others name modules. */
const lists = ['modules.dep', 'modules.order'] as const;

/**
 * Puts the lists of a folder of modules right: `modules.dep`, `modules.order`, and `modules.dep.bin`
 * where there is one, which is what kmod reads. Throws INPUT_MODULES_DEP when that can't be made.
 */
export async function rewriteModuleLists(
  tree: SourceTree,
  folder: string,
  renamed: RenamedFiles,
): Promise<void> {
  for (const list of lists) {
    const path = `${folder}/${list}`;
    const node = tree.find(path);
    if (node?.kind !== 'file') continue;
    const before = (await tree.readFile(path, largestList)).toString('latin1');
    const after = before.replace(
      /[^\s:]+\.ko\.\w+/g,
      (file) => renamed.newPath(file, folder) ?? file,
    );
    if (after === before) continue;
    tree.put(path, { ...node, content: bytesContent(Buffer.from(after, 'latin1')) });
    if (list === 'modules.dep') remakeIndex(tree, `${path}.bin`, after);
  }
}

/** The index has the lines of the text by the modules' names, so it is made from them. */
function remakeIndex(tree: SourceTree, path: string, text: string): void {
  const node = tree.find(path);
  if (node?.kind !== 'file') return;
  const lines = text.split('\n').filter((line) => line !== '');
  const entries = lines.map((line) => {
    const name = moduleName(line.slice(0, Math.max(0, line.indexOf(':'))));
    if (!/^[\x21-\x7e]+$/.test(name)) throw badLine(line, path);
    return [name, line] as const;
  });
  tree.put(path, { ...node, content: bytesContent(encodeModuleIndex(entries)) });
}

function badLine(line: string, path: string): PineError {
  return new PineError('INPUT_MODULES_DEP', 'the index of the modules cannot be made again', {
    expected: 'lines FILE: NEEDED… in modules.dep',
    found: JSON.stringify(line.slice(0, 80)),
    where: path,
    remedy: 'run `depmod -b ROOT VERSION` and commit again',
  });
}
