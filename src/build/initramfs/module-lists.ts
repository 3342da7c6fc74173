import { posix } from 'node:path';
import { PineError } from '../../error.ts';

/** The modules of a kernel, as `depmod` lists them. Names have `_` for `-`. */
export interface ModuleLists {
  /** For each module its file, relative to the modules' folder, and the files it needs. */
  readonly files: ReadonlyMap<string, { readonly file: string; readonly needs: readonly string[] }>;
  /** What the kernel itself has. */
  readonly builtIn: ReadonlySet<string>;
}

/** The name of a module by its file: `kernel/drivers/nvme/host/nvme-core.ko.gz` is `nvme_core`. */
export function moduleName(file: string): string {
  return posix
    .basename(file.trim())
    .replace(/\.ko(\.(gz|xz|zst))?$/, '')
    .replaceAll('-', '_');
}

/** Parses `modules.dep` and `modules.builtin`. `where` names the folder; throws INPUT_MODULES_DEP. */
export function parseModuleLists(dep: string, builtIn: string, where: string): ModuleLists {
  const files = new Map<string, { file: string; needs: string[] }>();
  for (const [index, line] of dep.split('\n').entries()) {
    if (line.trim() === '') continue;
    const colon = line.indexOf(':');
    if (colon <= 0) throw badLine(where, index + 1, line);
    const file = line.slice(0, colon);
    files.set(moduleName(file), {
      file,
      needs: line
        .slice(colon + 1)
        .split(' ')
        .filter((word) => word !== ''),
    });
  }
  return {
    files,
    builtIn: new Set(
      builtIn
        .split('\n')
        .filter((line) => line !== '')
        .map(moduleName),
    ),
  };
}

/**
 * Puts the wanted modules, and what they need, in an order in which each finds what it needs loaded.
 *
 * Returns a chain of files for each wanted module: what it needs that no earlier chain has, then
 * itself. One that this kernel does not have, or has built in, is left out. Throws INPUT_MODULES_DEP
 * when a needed one is missing from the list, or needs itself.
 */
export function orderModules(
  lists: ModuleLists,
  wanted: readonly string[],
  where: string,
): string[][] {
  const state = new Map<string, 'open' | 'done'>();
  const visit = (name: string, wantedBy: string, chain: string[]): string[] => {
    if (state.get(name) === 'done' || lists.builtIn.has(name)) return chain;
    const module = lists.files.get(name);
    if (module === undefined || state.get(name) === 'open') {
      const found = module === undefined ? 'no such module' : 'a circle';
      throw new PineError('INPUT_MODULES_DEP', `${wantedBy} needs ${name}, which can't be had`, {
        expected: `${name} in modules.dep, without circles`,
        found,
        where: `${where}/modules.dep`,
        remedy: 'run `depmod -b ROOT VERSION` and commit again',
      });
    }
    state.set(name, 'open');
    for (const need of module.needs) visit(moduleName(need), name, chain);
    state.set(name, 'done');
    chain.push(module.file);
    return chain;
  };
  return wanted
    .map((word) => word.replaceAll('-', '_'))
    .map((name) => (lists.files.has(name) ? visit(name, 'pine', []) : []))
    .filter((chain) => chain.length > 0);
}

/** Says whether a kernel has a module, as a file or built in. */
export function hasModule(lists: ModuleLists, name: string): boolean {
  return lists.files.has(name) || lists.builtIn.has(name);
}

function badLine(where: string, line: number, text: string): PineError {
  return new PineError('INPUT_MODULES_DEP', 'modules.dep is not what depmod writes', {
    expected: 'FILE: NEEDED…',
    found: JSON.stringify(text.slice(0, 80)),
    where: `${where}/modules.dep, line ${line}`,
    remedy: 'run `depmod -b ROOT VERSION` and commit again',
  });
}
