// A path as the step that it stands for. The API will learn endpoints itself; until it says which
// one a request belongs to, segments that look like ids are replaced here.

const STATIC = /\.(js|mjs|css|map|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|mp4|webm)$/i;

/** Whether a path is a file that a page brings along. */
export function isStatic(path: string): boolean {
  return STATIC.test(path);
}

function isId(segment: string): boolean {
  // `~` marks what the filter hashed.
  return (
    segment.startsWith("~") ||
    /^\d+$/.test(segment) ||
    /^[0-9a-f]{8,}$/i.test(segment) ||
    /^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(segment) ||
    /^[A-Z]+-?\d{3,}$/.test(segment)
  );
}

/** `/api/orders/17` → `/api/orders/{id}`. */
export function template(path: string): string {
  return path
    .split("/")
    .map((segment) => (isId(segment) ? "{id}" : segment))
    .join("/");
}

/** What a step is called: the template without what all paths begin with. */
export function stepName(path: string | null | undefined): string {
  if (path === null || path === undefined) return "(no path)";
  if (isStatic(path)) return "files";
  const name = template(path)
    .replace(/^\/(api\/)?(v\d+\/)?/, "")
    .replace(/\/$/, "");
  return name === "" ? "home" : name;
}

/** `GET /api/orders/{id}` → `orders/{id}`, `POST /api/login` → `POST login`. */
export function shortEndpoint(endpoint: string): string {
  const [method = "", path] = endpoint.split(/ (.*)/s);
  if (path === undefined) return endpoint;
  const name = path.replace(/^\/(api\/)?(v\d+\/)?/, "").replace(/(.)\/$/, "$1");
  const shown = name === "" ? "home" : name;
  return method === "GET" ? shown : `${method} ${shown}`;
}
