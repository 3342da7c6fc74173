/** What is the machine's and not a deployment's: a rollback leaves it as it is then (docs/building-a-root.md). */
export const keptFolders = ['/var', '/home', '/root', '/srv', '/opt', '/usr/local'] as const;
