/** The methods of each class and of those above it, the nearest of each name. */
const methodsOf = new WeakMap<object, Map<string, (...args: never[]) => unknown>>();

/**
 * Called by a constructor: makes methods that know their object, so that `const { softmax } = attention` works. They are
 * properties of the object itself, and as hidden as those of its class.
 */
export function bindMethods(object: object): void {
  for (const [name, method] of methodsFor(Object.getPrototypeOf(object))) {
    const value = method.bind(object as never);
    Object.defineProperty(object, name, { value, writable: true, configurable: true });
  }
}

function methodsFor(type: object): Map<string, (...args: never[]) => unknown> {
  const known = methodsOf.get(type);
  if (known) return known;
  const above = Object.getPrototypeOf(type);
  const methods = above === Object.prototype ? new Map() : new Map(methodsFor(above));
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
    if (typeof value === 'function' && name !== 'constructor') methods.set(name, value);
  }
  methodsOf.set(type, methods);
  return methods;
}
