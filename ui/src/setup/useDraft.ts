import { useState } from "react";
import { parseDocument, type Document } from "yaml";
import type { CurrentPolicy } from "../api/schema";
import { keepDraft, keptDraft } from "./draft";
import { toYaml } from "./yaml";

export interface Editing {
  /** The text being written, else the policy; null when the text is no YAML. */
  document: Document | null;
  isChanged: boolean;
  /** Changes the text being written; comments in it stay. */
  change: (how: (document: Document) => void) => void;
}

/** The policy as a document whose parts can be set; nothing holds until it is made the policy. */
export function useDraft(current: CurrentPolicy): Editing {
  const [draft, setDraft] = useState(keptDraft);
  const before = current.policy == null ? "" : toYaml(current.policy);
  const parsed = parseDocument(draft?.text ?? before);
  const document = parsed.errors.length > 0 ? null : parsed;
  const change = (how: (document: Document) => void) => {
    if (!document) return;
    how(document);
    const text = document.toString({ lineWidth: 100, flowCollectionPadding: false });
    const next = { text, from: draft?.from ?? current.version };
    keepDraft(next);
    setDraft(next);
  };
  return { document, isChanged: draft !== null && draft.text !== before, change };
}
