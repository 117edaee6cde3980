// The policy as text: YAML on the page, and where in it a place of the API stands.
import { Document, isCollection, isMap, isScalar, LineCounter, parseDocument, visit } from "yaml";

/** As one writes it by hand: a place in braces, a list of names in brackets. */
export function toYaml(policy: unknown): string {
  const document = new Document(orderly(policy));
  visit(document, {
    Pair: (_, { key, value }) => {
      if (isScalar(key) && key.value === "from" && isMap(value)) value.flow = true;
    },
    Seq: (_, list) => {
      if (list.items.every(isScalar)) list.flow = true;
    },
  });
  return document.toString({ lineWidth: 100, flowCollectionPadding: false });
}

/** Keys in the order of docs/policy.md; the API answers them by the alphabet. */
const ORDER = [
  "version",
  "name",
  "kind",
  "hosts",
  "applications",
  "keys",
  "builtin_off",
  "fallback",
  "parameters",
  "from",
  "namespace",
];

function orderly(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(orderly);
  if (typeof value !== "object" || value === null) return value;
  const rank = (key: string) => (ORDER.indexOf(key) + ORDER.length + 1) % (ORDER.length + 1);
  const entries = Object.entries(value).sort(([one], [other]) => rank(one) - rank(other));
  return Object.fromEntries(entries.map(([key, inner]) => [key, orderly(inner)]));
}

export interface Fault {
  /** From 1. */
  line: number;
  why: string;
}

/** What makes the text no YAML at all. */
export function syntaxFault(text: string): Fault | null {
  const lines = new LineCounter();
  const [error] = parseDocument(text, { lineCounter: lines, prettyErrors: false }).errors;
  if (!error) return null;
  return { line: lines.linePos(error.pos[0]).line, why: error.message };
}

/** The line of a place such as `keys[1].from`, or of what is around it; from 1. */
export function lineOf(text: string, place: string): number {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  let at: unknown = document.contents;
  let line = 1;
  for (const step of steps(place)) {
    if (!isCollection(at)) break;
    const pair = at.items.find(
      (item) =>
        typeof item === "object" && item !== null && "key" in item && isNamed(item.key, step),
    ) as { key?: unknown; value?: unknown } | undefined;
    const node: unknown = typeof step === "number" ? at.items[step] : pair?.value;
    const start = rangeOf(pair?.key) ?? rangeOf(node);
    if (start === null) break;
    line = lines.linePos(start).line;
    at = node;
  }
  return line;
}

const isNamed = (key: unknown, name: string | number) => isScalar(key) && key.value === name;

function rangeOf(node: unknown): number | null {
  if (typeof node !== "object" || node === null || !("range" in node)) return null;
  return Array.isArray(node.range) ? Number(node.range[0]) : null;
}

/** `keys[1].from` → `keys`, 1, `from`. */
function steps(place: string): (string | number)[] {
  const parts = place.match(/[^.[\]]+/g) ?? [];
  return parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
