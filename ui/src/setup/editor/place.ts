// Where in a policy the caret stands, from the text alone: it need not be valid YAML while one types.
import { ITEM, type Step } from "./schema";

export interface Caret {
  /** Fields and list items around it. */
  path: Step[];
  /** Whether a field's name or a value is being typed. */
  kind: "field" | "value";
  /** What is typed of it so far. */
  typed: string;
}

const FIELD = /^(\s*)(- +)?("?)([\w.$-]+)\3\s*:(?:\s|$)/;

export function caretAt(text: string, offset: number): Caret {
  const lines = text.slice(0, offset).split("\n");
  const line = lines.pop() ?? "";
  const [, indent = "", dash = ""] = /^(\s*)(- +)?/.exec(line) ?? [];
  const around = dash
    ? [...parents(lines, indent.length, "list"), ITEM]
    : parents(lines, indent.length, "map");
  return within(line.slice(indent.length + dash.length), around);
}

/** What is around a field, or a list, that begins at `column`. */
function parents(above: string[], column: number, kind: "map" | "list"): Step[] {
  const path: Step[] = [];
  let [limit, isList] = [column, kind === "list"];
  for (const line of [...above].reverse()) {
    const found = FIELD.exec(line);
    if (!found) continue;
    const [, indent = "", dash = "", , name = ""] = found;
    const at = indent.length + dash.length;
    const isParent = isList ? at <= limit && (dash === "" || indent.length < limit) : at < limit;
    const isSibling = !isList && dash !== "" && at === limit;
    if (isParent) path.unshift(name);
    if (!isParent && !isSibling) continue;
    if (dash !== "") path.unshift(ITEM);
    [limit, isList] = dash === "" ? [at, false] : [indent.length, true];
  }
  return path;
}

/** Reads on within a line: `from: {response: {js` stands in `from.response`, typing a field. */
function within(line: string, around: Step[]): Caret {
  const path = [...around];
  // Per open brace or bracket, how long the path was outside of it.
  const open: { isList: boolean; outside: number }[] = [];
  let typed = "";
  let kind: Caret["kind"] = "field";
  const tokens = line.match(
    /"(?:\\.|[^"\\])*"?|'[^']*'?|[{}[\],]|:(?=\s|$)|[^\s{}[\],:"']+|:\S|\s+/g,
  );
  const inside = () => (open.at(-1)?.isList === true ? "value" : "field");
  for (const token of tokens ?? []) {
    if (token === "{" || token === "[") {
      open.push({ isList: token === "[", outside: path.length });
      if (token === "[") path.push(ITEM);
      [kind, typed] = [inside(), ""];
    } else if (token === "}" || token === "]") {
      path.length = open.pop()?.outside ?? path.length;
      [kind, typed] = ["value", ""];
    } else if (token === ",") {
      const last = open.at(-1);
      if (last) path.length = last.outside + (last.isList ? 1 : 0);
      [kind, typed] = [inside(), ""];
    } else if (token === ":") {
      path.push(typed);
      [kind, typed] = ["value", ""];
    } else {
      typed += token.trimStart();
    }
  }
  return { path, kind, typed };
}
