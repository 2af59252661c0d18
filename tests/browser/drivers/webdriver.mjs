// What WebDriver has in common wherever it is spoken: keys as its code points, and scripts that finish later.

const keyCodes = {
  Backspace: '\uE003',
  Tab: '\uE004',
  Enter: '\uE007',
  Escape: '\uE00C',
  End: '\uE010',
  Home: '\uE011',
  ArrowLeft: '\uE012',
  ArrowUp: '\uE013',
  ArrowRight: '\uE014',
  ArrowDown: '\uE015',
};

/** One key down and up again, as `actions`. */
export function keystroke(key) {
  const value = keyCodes[key] ?? key;
  return [{ type: 'key', id: 'keyboard', actions: ['keyDown', 'keyUp'].map((type) => ({ type, value })) }];
}

/** The body of an asynchronous script that evaluates `expression`: see outcomeOf. */
export const scriptOf = (expression) => `
  const finish = arguments[0];
  (async () => (${expression}))().then(
    (value) => finish({ value }),
    (error) => finish({ error: String(error) + '\\n' + (error?.stack ?? '') }),
  );`;

export function outcomeOf({ value, error }) {
  if (error) throw new Error(error);
  return value ?? undefined;
}
