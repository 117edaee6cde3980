import { useState } from "react";
import { parseDocument, type Document } from "yaml";
import type { CurrentPolicy } from "../api/schema";
import { keepDraft, keptDraft } from "./draft";
import { toYaml } from "./yaml";

export interface Editing {
  /** The text being written, else that of the policy. */
  text: string;
  /** The same as a document; null when the text is no YAML. */
  document: Document | null;
  isChanged: boolean;
  /** Changes the text being written; comments in it stay. */
  change: (how: (document: Document) => void) => void;
}

/** The policy as a document whose parts can be set; nothing holds until it is made the policy. */
export function useDraft(current: CurrentPolicy): Editing {
  const [draft, setDraft] = useState(keptDraft);
  const before = current.policy == null ? "" : toYaml(current.policy);
  const written = draft?.text ?? before;
  const parsed = parseDocument(written);
  const document = parsed.errors.length > 0 ? null : parsed;
  const change = (how: (document: Document) => void) => {
    if (!document) return;
    how(document);
    const text = document.toString({ lineWidth: 100, flowCollectionPadding: false });
    const next = { text, from: draft?.from ?? current.version };
    keepDraft(next);
    setDraft(next);
  };
  return { text: written, document, isChanged: written !== before, change };
}
