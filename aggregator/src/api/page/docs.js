// Draws /openapi.json. Text is always set as text: nothing of the document is ever taken for HTML.

const METHODS = ["get", "post", "put", "delete"];

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** What `$ref` names. */
function resolve(document, value) {
  if (!value?.$ref) return value;
  const path = value.$ref.replace("#/", "").split("/");
  return path.reduce((found, name) => found?.[name], document);
}

/** A type in one word: `string`, `Session`, `Session[]`, `integer or null`. */
function typeOf(schema) {
  if (!schema || schema === true) return "anything";
  if (schema.$ref) return schema.$ref.split("/").pop();
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map(typeOf).join(" or ");
  if (schema.allOf) return schema.allOf.map(typeOf).join(" and ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const types = [schema.type ?? "object"].flat();
  const one = (type) => (type === "array" ? `${typeOf(schema.items)}[]` : type);
  const format = schema.format ? ` (${schema.format})` : "";
  return types.map(one).join(" or ") + format;
}

/** Fields of an object, also of one that consists of several. */
function fieldsOf(document, schema) {
  const found = resolve(document, schema);
  if (!found) return [];
  if (found.type === "array") return fieldsOf(document, found.items);
  const parts = [found.allOf, found.oneOf, found.anyOf].flat().filter(Boolean);
  const own = Object.entries(found.properties ?? {});
  return parts.flatMap((part) => fieldsOf(document, part)).concat(own);
}

function table(headings, rows) {
  const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

const code = (text) => element("code", {}, text);

/** A schema's fields, those of other schemas folded away. */
function schemaView(document, schema, depth = 0) {
  const rows = fieldsOf(document, schema).map(([name, field]) => {
    const described = element("span", {}, field.description ?? resolve(document, field)?.description ?? "");
    const inner = field.type === "array" ? field.items : (field.oneOf?.find((it) => it.$ref) ?? field);
    if (inner?.$ref && depth < 4) {
      const more = element("details", {}, element("summary", {}, typeOf(inner)));
      const fill = () => more.append(schemaView(document, inner, depth + 1));
      more.addEventListener("toggle", fill, { once: true });
      described.append(more);
    }
    return [code(name), code(typeOf(field)), described];
  });
  return rows.length > 0 ? table(["field", "type", "meaning"], rows) : element("p", {}, code(typeOf(schema)));
}

function content(document, value) {
  const [media, { schema } = {}] = Object.entries(value?.content ?? {})[0] ?? [];
  if (!media) return null;
  const part = element("div", {}, element("p", { class: "soft" }, code(media)));
  part.append(schemaView(document, schema));
  return part;
}

function curl(document, method, path, operation) {
  const query = (operation.parameters ?? []).find((it) => it.in === "query" && it.example !== undefined);
  const lines = [`curl -s${query ? "G" : ""} "${location.origin}${path}"`];
  if (method !== "get") lines[0] = `curl -s -X ${method.toUpperCase()} "${location.origin}${path}"`;
  if (operation.security?.some((it) => Object.keys(it).length > 0)) {
    lines.push('  -H "Authorization: Bearer $TOKEN"');
  }
  if (query) lines.push(`  --data-urlencode '${query.name}=${query.example}'`);
  if (operation.requestBody) lines.push("  -d @body.json");
  return element("pre", {}, lines.join(" \\\n"));
}

function operationView(document, method, path, operation) {
  const section = element("section", { id: operation.operationId });
  section.append(element("h2", {}, `${method.toUpperCase()} ${path}`));
  section.append(element("p", {}, operation.summary ?? ""));
  if (operation.description) section.append(element("p", { class: "soft" }, operation.description));
  const tokens = new Set((operation.security ?? []).flatMap((it) => Object.keys(it)));
  section.append(element("p", { class: "soft" }, `Token: ${[...tokens].join(" or ") || "none"}`));
  const parameters = (operation.parameters ?? []).map((it) => resolve(document, it));
  if (parameters.length > 0) {
    const rows = parameters.map((it) => [
      code(it.name),
      it.in,
      code(typeOf(it.schema)),
      `${it.description ?? ""}${it.example === undefined ? "" : ` E.g. ${it.example}`}`,
    ]);
    section.append(table(["parameter", "in", "type", "meaning"], rows));
  }
  section.append(curl(document, method, path, operation));
  const body = content(document, resolve(document, operation.requestBody));
  if (body) section.append(element("details", {}, element("summary", {}, "Body"), body));
  for (const [status, given] of Object.entries(operation.responses ?? {})) {
    const response = resolve(document, given);
    const title = element("summary", {}, `${status} ${response.description ?? ""}`);
    const details = element("details", {}, title);
    const fill = () => details.append(content(document, response) ?? element("p", {}, "No body."));
    details.addEventListener("toggle", fill, { once: true });
    section.append(details);
  }
  return section;
}

function draw(description) {
  const page = document.getElementById("page");
  const links = document.getElementById("links");
  const { title, version, description: about } = description.info;
  page.replaceChildren(
    element("h1", {}, `${title} ${version}`),
    element("p", {}, about ?? ""),
    element("p", {}, element("a", { href: "/openapi.json" }, "/openapi.json")),
  );
  const groups = new Map((description.tags ?? []).map(({ name }) => [name, []]));
  for (const [path, item] of Object.entries(description.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const operation = item[method];
      const tag = operation.tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), { method, path, operation }]);
    }
  }
  for (const [tag, operations] of groups) {
    const group = element("div", {}, element("h2", {}, tag));
    for (const { method, path, operation } of operations) {
      const text = `${method.toUpperCase()} ${path}`;
      group.append(element("a", { href: `#${operation.operationId}` }, text));
      page.append(operationView(description, method, path, operation));
    }
    links.append(group);
  }
  // The page was empty when the browser looked for it.
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function search() {
  const wanted = document.getElementById("search").value.toLowerCase();
  for (const link of document.querySelectorAll("#links a")) {
    link.hidden = !link.textContent.toLowerCase().includes(wanted);
  }
}

document.getElementById("search").addEventListener("input", search);
try {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  draw(await answer.json());
} catch (error) {
  document.getElementById("page").textContent = `/openapi.json cannot be read: ${error.message}`;
}
