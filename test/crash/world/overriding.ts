/** `target` with some of its members replaced: how a test makes one part of a machine misbehave. */
export function overriding<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get(object, key) {
      const found = Reflect.get(key in changes ? changes : object, key, object);
      return typeof found === 'function' && !(key in changes) ? found.bind(object) : found;
    },
  });
}
