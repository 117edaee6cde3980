// A policy that is being written, kept while one looks around.
const KEY = "throughline.policy_draft";

export interface Draft {
  text: string;
  /** The version that it was begun from. */
  from: number;
}

export function keptDraft(): Draft | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "") as Partial<Draft>;
    return typeof kept.text === "string" && typeof kept.from === "number"
      ? { text: kept.text, from: kept.from }
      : null;
  } catch {
    return null;
  }
}

export function keepDraft(draft: Draft | null) {
  if (draft === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify(draft));
}
