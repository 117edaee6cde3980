// The tokens a person gave, kept until the tab is closed and nowhere else.
import { useSyncExternalStore } from "react";

/** `read` is asked for by every page, `admin` by changes to the policy. */
export type TokenKind = "read" | "admin";

interface Tokens {
  /** The service refused to answer with the read token there is. */
  signedOut: boolean;
  /** The service refused a change with the admin token there is. */
  adminRefused: boolean;
  hasAdmin: boolean;
}

const key = (kind: TokenKind) => `throughline.${kind}_token`;
const listeners = new Set<() => void>();
let state: Tokens = {
  signedOut: false,
  adminRefused: false,
  hasAdmin: sessionStorage.getItem(key("admin")) !== null,
};

function set(change: Partial<Tokens>) {
  state = { ...state, ...change };
  listeners.forEach((listener) => listener());
}

export function token(kind: TokenKind): string | null {
  return sessionStorage.getItem(key(kind));
}

export function giveToken(kind: TokenKind, value: string) {
  sessionStorage.setItem(key(kind), value.trim());
  set(kind === "read" ? { signedOut: false } : { adminRefused: false, hasAdmin: true });
}

export function forgetTokens() {
  sessionStorage.removeItem(key("read"));
  sessionStorage.removeItem(key("admin"));
  set({ hasAdmin: false });
}

/** The service answered 401 to this kind of token. */
export function refused(kind: TokenKind) {
  set(kind === "read" ? { signedOut: true } : { adminRefused: true, hasAdmin: false });
}

export function useTokens(): Tokens {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}
