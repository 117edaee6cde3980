// One line of YAML or JSON in parts that are coloured alike.

export interface Part {
  kind: "field" | "comment" | "text" | "plain";
  text: string;
}

const PARTS = /(\s#.*$|^#.*$)|("?[\w.$-]+"?)(?=\s*:(?:\s|$))|("(?:\\.|[^"\\])*"|'[^']*')/g;

export function highlight(line: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  const add = (kind: Part["kind"], text: string) => {
    if (text !== "") parts.push({ kind, text });
  };
  for (const found of line.matchAll(PARTS)) {
    const [text, comment, field] = found;
    const lead = comment === undefined ? "" : (/^\s*/.exec(text)?.[0] ?? "");
    add("plain", line.slice(end, found.index) + lead);
    add(
      comment !== undefined ? "comment" : field !== undefined ? "field" : "text",
      text.slice(lead.length),
    );
    end = found.index + text.length;
  }
  add("plain", line.slice(end));
  return parts;
}
