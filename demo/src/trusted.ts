interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

function sameOrigin(url: string): string {
  if (new URL(url, location.href).origin !== location.origin) throw new TypeError(`Not a script of this page: ${url}`);
  return url;
}

// Under require-trusted-types-for 'script' a worker takes no plain string.
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
const policy = trustedTypes?.createPolicy('attention-explorer', { createScriptURL: sameOrigin });

/** The address of a script of this page, as a worker takes it. */
export const scriptUrl = (url: string): string => policy?.createScriptURL(url) ?? url;
